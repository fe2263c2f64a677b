import { bigint, boolean, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import { postern } from '../../lib/pg-schema.js'

/** The trail summed up by the hour (UTC), for long spans. The service keeps it; it can be dropped and made again. */
export const eventCounts = postern.table(
  'event_counts',
  {
    hour: timestamp({ withTimezone: true, precision: 3 }).notNull(),
    eventType: text('event_type').notNull(),
    success: boolean().notNull(),
    /** Empty where there is none: a null could stand twice in a key. */
    failureReason: text('failure_reason').notNull(),
    /** A row of the trail may stand for many. */
    answers: bigint({ mode: 'number' }).notNull()
  },
  (table) => [primaryKey({ columns: [table.hour, table.eventType, table.success, table.failureReason] })]
)
