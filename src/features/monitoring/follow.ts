import type { Db } from '../../plugins/database/index.js'
import type { EventFilter } from './filter.js'
import { type EventRow, findTime, listEvents } from './store.js'

/** A row has the time of its insert, and is there when its transaction commits: no later than this, or the sum of a flood. */
const OVERLAP_MS = 15_000
const PAGE = 1000

/**
 * For a tail: each call gives what has come since the one before, oldest first, and each event once; the first call gives what
 * has come since this was made. Rejects with `unavailable`; the next call then makes up for it.
 */
export async function createFollower(db: Db, filter: EventFilter): Promise<() => Promise<EventRow[]>> {
  const seen = new Map<string, number>()
  let newest = (await findTime(db)).getTime()

  async function unseen(): Promise<EventRow[]> {
    const rows = await listAll(db, { ...filter, from: new Date(newest - OVERLAP_MS) })
    const fresh = rows.filter(({ id }) => !seen.has(id)).reverse()
    for (const { id, createdAt } of fresh) {
      seen.set(id, createdAt.getTime())
      newest = Math.max(newest, createdAt.getTime())
    }
    for (const [id, time] of seen) if (time < newest - OVERLAP_MS) seen.delete(id)
    return fresh
  }

  await unseen()
  return unseen
}

async function listAll(db: Db, filter: EventFilter): Promise<EventRow[]> {
  const rows: EventRow[] = []
  for (;;) {
    const page = await listEvents(db, filter, { before: rows.at(-1), limit: PAGE })
    rows.push(...page)
    if (page.length < PAGE) return rows
  }
}
