import { sql } from 'drizzle-orm'
import { bigint, index, inet, integer, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { postern } from '../../lib/pg-schema.js'
import { users } from '../users/tables.js'

/** One row per login. The refresh token is computed from `id` and `refreshCounter`, never stored. */
export const sessions = postern.table(
  'sessions',
  {
    id: uuid().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    refreshCounter: bigint('refresh_counter', { mode: 'number' }).notNull().default(0),
    /** Which secret the newest refresh token was made under: a name without any secret in it. */
    refreshKeyId: integer('refresh_key_id').notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    /** When the counter last moved, by the database's clock: the idle time and the reuse interval count from it. */
    refreshedAt: timestamp('refreshed_at', { withTimezone: true, precision: 6 }).notNull().defaultNow(),
    lastSeenAt: timestamp('last_seen_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true, precision: 3 }).notNull(),
    endedAt: timestamp('ended_at', { withTimezone: true, precision: 3 }),
    ipAddress: inet('ip_address'),
    userAgent: text('user_agent')
  },
  (table) => [
    index('sessions_user_id_idx').on(table.userId, table.createdAt).where(sql`${table.endedAt} is null`),
    index('sessions_expires_at_idx').on(table.expiresAt),
    index('sessions_ended_at_idx').on(table.endedAt).where(sql`${table.endedAt} is not null`)
  ]
)
