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
    index('auth_events_user_id_idx').on(table.userId, table.createdAt, table.id),
    // For operators: a page of the newest with any one of these is read in the order of its index.
    index('auth_events_email_idx').on(table.email, table.createdAt, table.id).where(sql`${table.email} is not null`),
    index('auth_events_ip_address_idx').on(table.ipAddress, table.createdAt, table.id),
    index('auth_events_event_type_idx').on(table.eventType, table.createdAt, table.id),
    index('auth_events_event_type_failure_reason_idx')
      .on(table.eventType, table.failureReason, table.createdAt, table.id)
      .where(sql`${table.failureReason} is not null`),
    index('auth_events_failure_reason_idx')
      .on(table.failureReason, table.createdAt, table.id)
      .where(sql`${table.failureReason} is not null`),
    index('auth_events_failed_idx').on(table.createdAt, table.id).where(sql`not ${table.success}`),
    // What the insights read, and written as their view has it.
    index('auth_events_guess_idx')
      .on(table.createdAt)
      .where(
        sql`${table.failureReason} in ('wrong_password', 'unknown_email', 'inactive_account', 'email_taken', 'rate_limited', 'account_throttled', 'bad_signature', 'unknown_key', 'wrong_algorithm', 'token_malformed', 'refresh_malformed', 'refresh_forged')`
      )
  ]
)
