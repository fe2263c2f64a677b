import { eq, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../../plugins/database/index.js'
import { users } from './tables.js'

export type UserRow = typeof users.$inferSelect

/** Returns undefined when the email is taken: the unique index decides, not a prior read. */
export async function insertUser(db: Db, user: { email: string; passwordHash: string }): Promise<UserRow | undefined> {
  const [row] = await db
    .insert(users)
    .values({ id: uuidv7(), lastLogin: sql`now()`, ...user })
    .onConflictDoNothing({ target: users.email })
    .returning()
  return row
}

export async function findUserByEmail(db: Db, email: string): Promise<UserRow | undefined> {
  const [row] = await db.select().from(users).where(eq(users.email, email))
  return row
}

export async function findUserById(db: Db, id: string): Promise<UserRow | undefined> {
  const [row] = await db.select().from(users).where(eq(users.id, id))
  return row
}

/**
 * Takes the row's lock and says whether the account may still sign in with the hash that was checked:
 * a password that changed, or an account that was switched off, while bcrypt ran must not be let in.
 */
export async function claimLogin(db: Db, id: string, checkedHash: string): Promise<UserRow | undefined> {
  const [row] = await db
    .update(users)
    .set({ lastLogin: sql`now()` })
    .where(sql`${users.id} = ${id} and ${users.isActive} and ${users.passwordHash} = ${checkedHash}`)
    .returning()
  return row
}

/** Replaces the hash only where it is still the one that was checked. */
export async function updatePasswordHash(db: Db, id: string, hashes: { from: string; to: string }): Promise<boolean> {
  const rows = await db
    .update(users)
    .set({ passwordHash: hashes.to })
    .where(sql`${users.id} = ${id} and ${users.passwordHash} = ${hashes.from}`)
    .returning({ id: users.id })
  return rows.length === 1
}
