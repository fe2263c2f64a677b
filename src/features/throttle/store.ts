import { and, count, desc, eq, gt, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../../plugins/database/index.js'
import { users } from '../users/tables.js'
import { knownAddresses, throttleCounts } from './tables.js'

/** When a count makes its account wait, and when it is forgotten. */
export interface ThrottleRules {
  /** The failure with this number is followed by the first wait. */
  limit: number
  firstWaitSeconds: number
  longestWaitSeconds: number
  /** After so long without an attempt that was counted, the next failure is the first one again. */
  forgetSeconds: number
  /** How long an address stays known after a login. */
  knownSeconds: number
}

/** Whose failures are counted, and for whom. */
export interface CountKey {
  email: string
  /** A known address; empty for all others together. */
  addressKey: string
}

/** One attempt that was counted: enough to give it back. */
export interface ClaimedAttempt extends CountKey {
  series: string
}

/** What an operator sees of a count. */
export interface CountRow extends CountKey {
  userId: string | null
  failures: number
  /** In whole seconds; 0 when nobody has to wait. */
  waitSeconds: number
  attemptedAt: Date
}

const STRANGERS = ''

/** Waits are judged by the database's clock alone: the clocks of instances may differ. */
const ago = (seconds: number): SQL => sql`clock_timestamp() - make_interval(secs => ${seconds}::double precision)`

const isOver = (column: PgColumn, seconds: number): SQL => sql`${column} <= ${ago(seconds)}`

const waits = sql`${throttleCounts.throttledUntil} > clock_timestamp()`

const waitSeconds = sql<number>`coalesce(greatest(ceil(extract(epoch from
  ${throttleCounts.throttledUntil} - clock_timestamp())), 0), 0)::int`

/** The email's own count for this address where it is known there, else the one of all others. One statement for both. */
function countedAs(db: Db, { email, addressKey }: CountKey, { knownSeconds }: ThrottleRules): SQL<string> {
  const known = db
    .select({ one: sql`1` })
    .from(knownAddresses)
    .innerJoin(users, eq(users.id, knownAddresses.userId))
    .where(
      and(
        eq(users.email, email),
        eq(knownAddresses.addressKey, addressKey),
        sql`${knownAddresses.signedInAt} > ${ago(knownSeconds)}`
      )
    )
  return sql<string>`case when exists ${known} then ${addressKey}::text else ${STRANGERS} end`
}

/** What the columns become when one more failure is added to a row that makes nobody wait. */
function oneMore(series: string, rules: ThrottleRules) {
  const { failures } = throttleCounts
  const forgotten = isOver(throttleCounts.attemptedAt, rules.forgetSeconds)
  // 2^20 is beyond every longest wait; the power itself stays small.
  const doublings = sql`least(${failures} + 1 - ${rules.limit}::int, 20)`
  const wait = sql`least(${rules.firstWaitSeconds}::int * power(2, ${doublings}), ${rules.longestWaitSeconds}::int)`
  return {
    series: sql`case when ${forgotten} then ${series}::uuid else ${throttleCounts.series} end`,
    failures: sql`case when ${forgotten} then 1 else ${failures} + 1 end`,
    attemptedAt: sql`clock_timestamp()`,
    throttledUntil: sql`case when not ${forgotten} and ${failures} + 1 >= ${rules.limit}::int
      then clock_timestamp() + make_interval(secs => ${wait}) end`
  }
}

/**
 * Counts an attempt as a failure before anybody knows what it is; undefined when it has to wait, and then nothing has
 * changed. Whoever comes at the same time waits for the row and finds it counted.
 */
export async function claimAttempt(db: Db, key: CountKey, rules: ThrottleRules): Promise<ClaimedAttempt | undefined> {
  const series = uuidv7()
  const [claimed] = await db
    .insert(throttleCounts)
    .values({
      email: key.email,
      addressKey: countedAs(db, key, rules),
      series,
      failures: 1,
      attemptedAt: sql`clock_timestamp()`
    })
    .onConflictDoUpdate({
      target: [throttleCounts.email, throttleCounts.addressKey],
      set: oneMore(series, rules),
      setWhere: sql`${waits} is not true`
    })
    .returning({
      email: throttleCounts.email,
      addressKey: throttleCounts.addressKey,
      series: throttleCounts.series
    })
    .prepare('claim_attempt')
    .execute()
  return claimed
}

/** How long an attempt that was not claimed has to wait, and whose account it is: both undefined when there is none. */
export async function findWait(
  db: Db,
  key: CountKey,
  rules: ThrottleRules
): Promise<{ waitSeconds?: number | null; userId?: string | null }> {
  const own = and(eq(throttleCounts.email, key.email), eq(throttleCounts.addressKey, countedAs(db, key, rules)))
  const [row] = await db
    .select({
      waitSeconds: sql<number | null>`${db.select({ waitSeconds }).from(throttleCounts).where(own)}`,
      userId: sql<string | null>`${db.select({ id: users.id }).from(users).where(eq(users.email, key.email))}`
    })
    .from(sql`generate_series(1, 1)`)
    .prepare('find_wait')
    .execute()
  return row ?? {}
}

/** Takes back one claim, and with it the wait that it may have begun. Nothing happens when its series is over. */
export async function updateGivenBack(db: Db, { email, addressKey, series }: ClaimedAttempt): Promise<void> {
  await db
    .update(throttleCounts)
    .set({ failures: sql`${throttleCounts.failures} - 1`, throttledUntil: null })
    .where(
      and(
        eq(throttleCounts.email, email),
        eq(throttleCounts.addressKey, addressKey),
        eq(throttleCounts.series, series),
        gt(throttleCounts.failures, 0)
      )
    )
    .prepare('give_back_attempt')
    .execute()
}

/** The next failure is the first one again. */
export async function deleteCount(db: Db, { email, addressKey }: CountKey): Promise<void> {
  const row = and(eq(throttleCounts.email, email), eq(throttleCounts.addressKey, addressKey))
  await db.delete(throttleCounts).where(row).prepare('delete_count').execute()
}

/** Makes the address known for the account, or keeps it so. */
export async function insertKnownAddress(db: Db, userId: string, addressKey: string): Promise<void> {
  await db
    .insert(knownAddresses)
    .values({ userId, addressKey, signedInAt: sql`clock_timestamp()` })
    .onConflictDoUpdate({
      target: [knownAddresses.userId, knownAddresses.addressKey],
      set: { signedInAt: sql`clock_timestamp()` }
    })
    .prepare('insert_known_address')
    .execute()
}

/** Counts that are not forgotten, those that make somebody wait first, and how many there are beyond `limit`. */
export async function listCounts(
  db: Db,
  { forgetSeconds }: ThrottleRules,
  { all, limit }: { all: boolean; limit: number }
): Promise<{ counts: CountRow[]; total: number }> {
  const isListed = all
    ? and(gt(throttleCounts.failures, 0), sql`${throttleCounts.attemptedAt} > ${ago(forgetSeconds)}`)
    : waits
  const counts = await db
    .select({
      email: throttleCounts.email,
      addressKey: throttleCounts.addressKey,
      userId: users.id,
      failures: throttleCounts.failures,
      waitSeconds,
      attemptedAt: throttleCounts.attemptedAt
    })
    .from(throttleCounts)
    .leftJoin(users, eq(users.email, throttleCounts.email))
    .where(isListed)
    .orderBy(desc(waitSeconds), desc(throttleCounts.attemptedAt), throttleCounts.email, throttleCounts.addressKey)
    .limit(limit)
  const [row] = await db.select({ total: count() }).from(throttleCounts).where(isListed)
  return { counts, total: row?.total ?? 0 }
}

/** Every count of an email, known addresses and all others; returns how many there were. */
export async function deleteCounts(db: Db, email: string): Promise<number> {
  const rows = await db
    .delete(throttleCounts)
    .where(eq(throttleCounts.email, email))
    .returning({ addressKey: throttleCounts.addressKey })
  return rows.length
}

export async function findUserId(db: Db, email: string): Promise<string | undefined> {
  const [row] = await db.select({ id: users.id }).from(users).where(eq(users.email, email))
  return row?.id
}

/** Deletes at most `limit` counts that are forgotten anyway; waits for no lock. */
export async function deleteForgotten(db: Db, { forgetSeconds }: ThrottleRules, limit: number): Promise<number> {
  const bite = db
    .$with('bite')
    .as(
      db
        .select({ email: throttleCounts.email, addressKey: throttleCounts.addressKey })
        .from(throttleCounts)
        .where(isOver(throttleCounts.attemptedAt, forgetSeconds))
        .limit(limit)
        .for('update', { skipLocked: true })
    )
  const rows = await db
    .with(bite)
    .delete(throttleCounts)
    .where(sql`(${throttleCounts.email}, ${throttleCounts.addressKey}) in (select * from ${bite})`)
    .returning({ email: throttleCounts.email })
  return rows.length
}

/** Deletes at most `limit` addresses that are known no longer; waits for no lock. */
export async function deleteUnknown(db: Db, { knownSeconds }: ThrottleRules, limit: number): Promise<number> {
  const bite = db
    .$with('bite')
    .as(
      db
        .select({ userId: knownAddresses.userId, addressKey: knownAddresses.addressKey })
        .from(knownAddresses)
        .where(isOver(knownAddresses.signedInAt, knownSeconds))
        .limit(limit)
        .for('update', { skipLocked: true })
    )
  const rows = await db
    .with(bite)
    .delete(knownAddresses)
    .where(sql`(${knownAddresses.userId}, ${knownAddresses.addressKey}) in (select * from ${bite})`)
    .returning({ addressKey: knownAddresses.addressKey })
  return rows.length
}
