import { sql } from 'drizzle-orm'
import { boolean, index, inet, jsonb, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { postern } from '../../lib/pg-schema.js'

/** Append-only, partitioned by month; see the first migration for the partitioning and the trigger. */
export const authEvents = postern.table(
  'auth_events',
  {
    id: uuid().notNull(),
    eventType: text('event_type').notNull(),
    userId: uuid('user_id'),
    email: text(),
    sessionId: uuid('session_id'),
    ipAddress: inet('ip_address'),
    userAgent: text('user_agent'),
    success: boolean().notNull(),
    failureReason: text('failure_reason'),
    requestId: text('request_id'),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().default(sql`clock_timestamp()`),
    details: jsonb().$type<Record<string, unknown>>()
  },
  (table) => [
    primaryKey({ columns: [table.createdAt, table.id] }),
    index('auth_events_user_id_idx').on(table.userId, table.createdAt, table.id)
  ]
)
