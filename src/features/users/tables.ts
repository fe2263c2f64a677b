import { sql } from 'drizzle-orm'
import { boolean, check, text, timestamp, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
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
    check('users_role_check', sql`${table.role} in ('user', 'admin')`)
  ]
)
