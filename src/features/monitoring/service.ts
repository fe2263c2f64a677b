import type { EmailViews } from '../../lib/email-view.js'
import { encodeCursor } from '../../lib/event-cursor.js'
import type { Db } from '../../plugins/database/index.js'
import { createExport, type ExportOptions } from './export.js'
import { type EventQuery, readQuery } from './filter.js'
import { createFollower } from './follow.js'
import { type Insight, readInsights } from './insights.js'
import { readStats, type Stats } from './stats.js'
import { type EventRow, listEvents } from './store.js'
import { sumUp } from './sums.js'

export type { ExportFormat, ExportOptions } from './export.js'
export type { EventQuery } from './filter.js'
export type { Insight } from './insights.js'
export { createLive, type Live } from './live.js'
export type { Stats } from './stats.js'
export type { CountRow, EventRow } from './store.js'

export interface EventPage {
  events: EventRow[]
  /** Undefined at the end. */
  nextCursor: string | undefined
}

export type Monitoring = ReturnType<typeof createMonitoring>

interface MonitoringDeps {
  db: Db
  /** Without it no filter can name a hidden email. */
  emails?: EmailViews
}

/** What the trail says, to operators. */
export function createMonitoring({ db, emails }: MonitoringDeps) {
  const exportEvents = createExport(db)
  const read = (query: EventQuery) => readQuery(query, emails?.open)

  return {
    /** Newest first. Throws `invalid_request`. */
    async listEvents(query: EventQuery, limit: number): Promise<EventPage> {
      const { filter, before } = read(query)
      const rows = await listEvents(db, filter, { before, limit: limit + 1 })
      const events = rows.slice(0, limit)
      const last = events.at(-1)
      return { events, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last) : undefined }
    },

    /** See {@link createFollower}. Throws `invalid_request`. */
    follow: async (query: EventQuery) => await createFollower(db, read(query).filter),

    /** All of it, or the newest `limit`, as a stream of text. Throws `invalid_request`; see {@link createExport}. */
    exportEvents: async (query: EventQuery, options: ExportOptions) => await exportEvents(read(query), options),

    /** Suspicious patterns, the latest first, and how many there are in all. Throws `invalid_request`. */
    insights: (window?: string): Promise<{ insights: Insight[]; total: number }> => readInsights(db, window),

    /** Counts over time. Throws `invalid_request`. */
    stats: (window?: string, bucket?: string): Promise<Stats> => readStats(db, window, bucket),

    /** See {@link sumUp}. */
    sumUp: (shouldStop?: () => boolean): Promise<number> => sumUp(db, shouldStop)
  }
}
