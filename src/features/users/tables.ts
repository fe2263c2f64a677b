import { sql } from 'drizzle-orm'
import { boolean, check, index, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { postern } from '../../lib/pg-schema.js'

export const users = postern.table(
  'users',
  {
    id: uuid().primaryKey(),
    email: text().notNull(),
    passwordHash: text('password_hash').notNull(),
    role: text({ enum: ['user', 'admin'] })
      .notNull()
      .default('user'),
    isActive: boolean('is_active').notNull().default(true),
    createdAt: timestamp('created_at', { withTimezone: true, precision: 3 }).notNull().defaultNow(),
    lastLogin: timestamp('last_login', { withTimezone: true, precision: 3 })
  },
  (table) => [
    uniqueIndex('users_email_key').on(table.email),
    // For prefixes, whatever the database's own collation is.
    index('users_email_prefix_idx').on(sql`${table.email} collate "C"`),
    index('users_admins_idx').on(table.id).where(sql`${table.role} = 'admin' and ${table.isActive}`),
    check('users_role_check', sql`${table.role} in ('user', 'admin')`)
  ]
)
