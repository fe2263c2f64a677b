import { asc, eq, gt, isNull, or, sql } from 'drizzle-orm'
import type { Db } from '../../plugins/database/index.js'
import { signingKeys } from './tables.js'

export type KeyRow = typeof signingKeys.$inferSelect
type KeyChange = Partial<Pick<KeyRow, 'activeAt' | 'replacedAt' | 'retiresAt' | 'revokedAt' | 'privateKeyCiphertext'>>

/** One instance at a time changes keys; the lock ends with the transaction, also behind a transaction pooler. */
export async function lockKeys(tx: Db): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext('postern.signing_keys'))`)
}

/** All there ever were. */
export async function listKeys(db: Db): Promise<KeyRow[]> {
  return await db.select().from(signingKeys).orderBy(asc(signingKeys.createdAt), asc(signingKeys.kid))
}

/** Without those that were replaced and retired before `time`: a handful, however many there were. */
export async function listKeysSince(db: Db, time: Date): Promise<KeyRow[]> {
  return await db
    .select()
    .from(signingKeys)
    .where(or(isNull(signingKeys.replacedAt), gt(signingKeys.retiresAt, time)))
    .orderBy(asc(signingKeys.createdAt), asc(signingKeys.kid))
}

/** False when the key was there. */
export async function insertKey(db: Db, row: typeof signingKeys.$inferInsert): Promise<boolean> {
  const rows = await db.insert(signingKeys).values(row).onConflictDoNothing().returning({ kid: signingKeys.kid })
  return rows.length === 1
}

export async function updateKey(db: Db, kid: string, change: KeyChange): Promise<void> {
  await db.update(signingKeys).set(change).where(eq(signingKeys.kid, kid))
}

/** Moves the end of a key ahead, never back: another instance may have moved it further. */
export async function updateCover(db: Db, kid: string, retiresAt: Date): Promise<void> {
  await db
    .update(signingKeys)
    .set({ retiresAt: sql`greatest(${signingKeys.retiresAt}, ${retiresAt.toISOString()}::timestamptz)` })
    .where(eq(signingKeys.kid, kid))
}
