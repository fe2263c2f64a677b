import { preferredType } from '../../lib/accept.js'
import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import { type Actor, actionEvent } from './actor.js'

/** What the trail sees of a call. */
export interface AdminCall extends Actor {
  action: string
  /** Validated already. */
  params: unknown
  query: unknown
  formats: readonly [string, ...string[]] | undefined
  accept: string | undefined
}

/**
 * Writes the event of a call before it is answered: the action, what the path names, whether emails were asked for,
 * and which filters were used; their values are left out. Rejects with `unavailable` when it cannot be written.
 */
export function createTrail({ db, events }: { db: Db; events: Events }) {
  return async ({ action, params, query, formats, accept, ...actor }: AdminCall): Promise<void> => {
    const { emails, ...rest } = Object(query) as { emails?: string }
    const filters = Object.keys(rest)
    const target = {
      ...targetOf(params),
      ...(filters.length > 0 && { filters }),
      ...(emails !== undefined && { emails }),
      ...formatOf(accept, formats)
    }
    await events.record(db, actor.client, actionEvent(actor, action, target))
  }
}

/** A download of everything is another thing than a page. */
function formatOf(accept: string | undefined, formats: AdminCall['formats']): { format?: string } {
  if (formats === undefined) return {}
  const format = preferredType(accept, formats)
  return format === formats[0] ? {} : { format }
}

function targetOf(params: unknown): Record<string, string> {
  const named = Object.entries(Object(params) as Record<string, string>)
  return Object.fromEntries(named.map(([name, value]) => [`target_${name}`, value.toLowerCase()]))
}
