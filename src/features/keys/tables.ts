import { sql } from 'drizzle-orm'
import { check, index, jsonb, text, timestamp } from 'drizzle-orm/pg-core'
import { postern } from '../../lib/pg-schema.js'

/**
 * A key's state follows from these times alone (see lifecycle.ts), so instances agree without talking. The private
 * part rests encrypted under a key derived from AUTH_SECRET.
 */
export const signingKeys = postern.table(
  'signing_keys',
  {
    kid: text().primaryKey(),
    algorithm: text({ enum: ['HS256', 'ES256', 'EdDSA', 'RS256'] }).notNull(),
    /** For people who read the table: the service derives the public part from the sealed one. Null for HS256. */
    publicJwk: jsonb('public_jwk').$type<Record<string, unknown>>(),
    privateKeyCiphertext: text('private_key_ciphertext').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull(),
    /** From when it signs: in the future for the next key. */
    activeAt: timestamp('active_at', { withTimezone: true, precision: 3 }).notNull(),
    /** When another key took over; null while none has. */
    replacedAt: timestamp('replaced_at', { withTimezone: true, precision: 3 }),
    /** No token that it signed lives longer; whoever signs with it moves this ahead first. */
    retiresAt: timestamp('retires_at', { withTimezone: true, precision: 3 }).notNull(),
    revokedAt: timestamp('revoked_at', { withTimezone: true, precision: 3 })
  },
  (table) => [
    index('signing_keys_live_idx').on(table.retiresAt).where(sql`${table.revokedAt} is null`),
    check('signing_keys_algorithm_check', sql`${table.algorithm} in ('HS256', 'ES256', 'EdDSA', 'RS256')`)
  ]
)
