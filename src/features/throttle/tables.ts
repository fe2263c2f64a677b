import { index, integer, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { postern } from '../../lib/pg-schema.js'
import { users } from '../users/tables.js'

/** Consecutive failures, for an account and whom they are counted for. There is a row only where there were some. */
export const throttleCounts = postern.table(
  'throttle_counts',
  {
    /** Canonical; it need not be an account's. */
    email: text().notNull(),
    /** A known address of the account; empty for all others together. */
    addressKey: text('address_key').notNull(),
    /** Another one after each success, so that nothing is given back to a count that it was not taken from. */
    series: uuid().notNull(),
    failures: integer().notNull(),
    attemptedAt: timestamp('attempted_at', { withTimezone: true, precision: 3 }).notNull(),
    throttledUntil: timestamp('throttled_until', { withTimezone: true, precision: 3 })
  },
  (table) => [
    primaryKey({ columns: [table.email, table.addressKey] }),
    index('throttle_counts_attempted_at_idx').on(table.attemptedAt)
  ]
)

/** Where an account was signed in to, or made, in the last 30 days. */
export const knownAddresses = postern.table(
  'known_addresses',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    addressKey: text('address_key').notNull(),
    signedInAt: timestamp('signed_in_at', { withTimezone: true, precision: 3 }).notNull()
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.addressKey] }),
    index('known_addresses_signed_in_at_idx').on(table.signedInAt)
  ]
)
