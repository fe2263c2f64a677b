import { and, asc, desc, eq, lt, ne, type SQL, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../../plugins/database/index.js'
import { users } from './tables.js'

export type UserRow = typeof users.$inferSelect

/** Returns undefined when the email is taken: the unique index decides, not a prior read. */
export async function insertUser(db: Db, user: { email: string; passwordHash: string }): Promise<UserRow | undefined> {
  return await insert(db, { ...user, lastLogin: sql`now()` })
}

/** The same for an account that nobody has signed in to, made by an operator. */
export async function insertAdmin(db: Db, user: { email: string; passwordHash: string }): Promise<UserRow | undefined> {
  return await insert(db, { ...user, role: 'admin' })
}

async function insert(
  db: Db,
  user: { email: string; passwordHash: string; role?: UserRow['role']; lastLogin?: SQL }
): Promise<UserRow | undefined> {
  const [row] = await db
    .insert(users)
    .values({ id: uuidv7(), ...user })
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

/**
 * Whoever may change who is an admin comes one after the other, so that of two changes the second sees the first. Taken
 * before any row's lock, and held until the transaction ends.
 */
export async function lockAdmins(tx: Db): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('postern.admins'))`)
}

/** The row, locked until the transaction ends: the lock that comes before those of the user's sessions. */
export async function findUserForUpdate(tx: Db, id: string): Promise<UserRow | undefined> {
  const [row] = await tx.select().from(users).where(eq(users.id, id)).for('no key update')
  return row
}

/** Sets what is given, which is not nothing. The caller holds the row's lock. */
export async function updateUser(
  tx: Db,
  id: string,
  change: Partial<Pick<UserRow, 'isActive' | 'role'>>
): Promise<UserRow> {
  const [row] = await tx.update(users).set(change).where(eq(users.id, id)).returning()
  return row as UserRow
}

/** The row, and what hangs on it: sessions and known addresses. The trail keeps what it tells of. */
export async function deleteUser(tx: Db, id: string): Promise<void> {
  await tx.delete(users).where(eq(users.id, id))
}

/** Whether there is an active admin, apart from `except`. */
export async function findAnyAdmin(db: Db, except?: string): Promise<boolean> {
  const rows = await db
    .select({ id: users.id })
    .from(users)
    .where(and(isActiveAdmin, except === undefined ? undefined : ne(users.id, except)))
    .limit(1)
  return rows.length > 0
}

/** Written as the index has it. */
const isActiveAdmin = sql`${users.role} = 'admin' and ${users.isActive}`

/** The newest first, older than `before`. To be awaited, or asked for its plan. */
export function listNewestUsers(db: Db, { before, limit }: { before: string | undefined; limit: number }) {
  return db
    .select()
    .from(users)
    .where(before === undefined ? undefined : lt(users.id, before))
    .orderBy(desc(users.id))
    .limit(limit)
}

/** Those whose email begins so, in the order of their emails as bytes, beyond `after`. To be awaited, or asked for its plan. */
export function listUsersByEmail(
  db: Db,
  { prefix, after, limit }: { prefix: string; after: string | undefined; limit: number }
) {
  const email = sql`${users.email} collate "C"`
  const beyond = after === undefined ? undefined : sql`${email} > ${after}`
  return db
    .select()
    .from(users)
    .where(and(sql`${email} >= ${prefix}`, sql`${email} < ${`${prefix}\u{10ffff}`}`, beyond))
    .orderBy(asc(email))
    .limit(limit)
}
