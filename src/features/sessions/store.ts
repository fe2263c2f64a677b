import { and, desc, eq, gt, isNull, ne, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../../plugins/database/index.js'
import { users } from '../users/tables.js'
import type { IdleLimit, InsertedSession, NewSession, RefreshLimits, Rotated, Rotation, SessionState } from './rows.js'
import { sessions } from './tables.js'

export type SessionRow = typeof sessions.$inferSelect

/** Drizzle writes a table's schema into FOR … OF, which PostgreSQL refuses; an alias has none. */
const aliased = alias(sessions, 's')

type Ends = Pick<typeof sessions | typeof aliased, 'refreshedAt' | 'expiresAt'>

const NOW = sql`clock_timestamp()`

const ago = (seconds: number, now: SQL = NOW): SQL => sql`${now} - make_interval(secs => ${seconds})`

/** Ends and intervals are judged by the database's clock alone: the clocks of instances may differ. */
const live = ({ idleSeconds }: IdleLimit, now: SQL = NOW): SQL =>
  sql`${sessions.endedAt} is null and ${sessions.expiresAt} > ${now} and ${sessions.refreshedAt} > ${ago(idleSeconds, now)}`

/** What is left of the refresh token's life, in whole seconds. */
const refreshExpiresIn = (refreshTtlSeconds: number, { refreshedAt, expiresAt }: Ends = sessions) =>
  sql<number>`round(extract(epoch from least(${refreshedAt} + make_interval(secs => ${refreshTtlSeconds}), ${expiresAt}) - clock_timestamp()))::int`

/**
 * The lock that whoever touches several sessions of a user takes first, before any lock on a session: so nobody waits
 * in a circle. Held until the transaction ends.
 */
export async function lockUser(db: Db, userId: string): Promise<void> {
  const query = db.select({ id: users.id }).from(users).where(eq(users.id, userId)).for('no key update')
  await query.prepare('lock_user').execute()
}

export async function insertSession(db: Db, session: NewSession): Promise<InsertedSession> {
  const now = sql`statement_timestamp()`
  const [row] = await db
    .insert(sessions)
    .values({
      id: uuidv7(),
      userId: session.userId,
      refreshKeyId: session.keyId,
      createdAt: now,
      refreshedAt: now,
      lastSeenAt: now,
      expiresAt: sql`${now} + make_interval(secs => ${session.sessionTtlSeconds})`,
      ipAddress: session.ipAddress,
      userAgent: session.userAgent ?? null
    })
    .returning({
      id: sessions.id,
      expiresAt: sessions.expiresAt,
      refreshExpiresIn: refreshExpiresIn(session.refreshTtlSeconds)
    })
    .prepare('insert_session')
    .execute()
  return row as InsertedSession
}

/** Ends all live sessions of a user but the `keep` newest; the caller holds the user's lock. Returns their ids. */
export async function updateOldestEnded(db: Db, userId: string, keep: number, limits: IdleLimit): Promise<string[]> {
  const tooMany = db
    .select({ id: sessions.id })
    .from(sessions)
    .where(and(eq(sessions.userId, userId), live(limits)))
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
    .offset(keep)
  const rows = await db
    .update(sessions)
    .set({ endedAt: sql`clock_timestamp()` })
    .where(and(sql`${sessions.id} = any(array(${tooMany}))`, isNull(sessions.endedAt)))
    .returning({ id: sessions.id })
    .prepare('end_oldest_sessions')
    .execute()
  return rows.map(({ id }) => id)
}

/** Ends a session that the caller has locked. */
export async function updateEnded(db: Db, id: string): Promise<void> {
  await db
    .update(sessions)
    .set({ endedAt: sql`clock_timestamp()` })
    .where(and(eq(sessions.id, id), isNull(sessions.endedAt)))
}

/** Ends one live session of this user. False when there is none: unknown, another's, over. */
export async function claimEnd(
  db: Db,
  { sessionId, userId }: { sessionId: string; userId: string },
  limits: IdleLimit
): Promise<boolean> {
  const rows = await db
    .update(sessions)
    .set({ endedAt: sql`clock_timestamp()` })
    .where(and(eq(sessions.id, sessionId), eq(sessions.userId, userId), live(limits)))
    .returning({ id: sessions.id })
  return rows.length === 1
}

/**
 * Ends every session of a user, but perhaps one; the caller holds the user's lock. Those that are only idle end
 * too, so that a longer REFRESH_TOKEN_TTL does not bring them back; returned is how many were live.
 */
export async function updateAllEnded(
  db: Db,
  { userId, except }: { userId: string; except?: string | undefined },
  { idleSeconds }: IdleLimit
): Promise<number> {
  const rows = await db
    .update(sessions)
    .set({ endedAt: sql`clock_timestamp()` })
    .where(
      and(
        eq(sessions.userId, userId),
        isNull(sessions.endedAt),
        except === undefined ? undefined : ne(sessions.id, except)
      )
    )
    .returning({
      wasLive: sql<boolean>`${sessions.expiresAt} > clock_timestamp() and ${sessions.refreshedAt} > ${ago(idleSeconds)}`
    })
  return rows.filter(({ wasLive }) => wasLive).length
}

/** Live ones, newest first. */
export async function listLive(db: Db, userId: string, limits: IdleLimit): Promise<SessionRow[]> {
  return await db
    .select()
    .from(sessions)
    .where(and(eq(sessions.userId, userId), live(limits)))
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
}

/** How many live, in all. Reads every one of them. */
export async function countLive(db: Db, limits: IdleLimit): Promise<number> {
  return await db.$count(sessions, live(limits))
}

/** The same as PostgreSQL's planner guesses it, from its statistics alone: at once, however many there are. */
export async function guessLive(db: Db, limits: IdleLimit): Promise<number> {
  const [row] = await db.execute<{ 'QUERY PLAN': { Plan: { 'Plan Rows': number } }[] }>(
    // Of clock_timestamp(), which is another at each row, the planner cannot know how many rows are beyond it.
    sql`explain (format json) select from ${sessions} where ${live(limits, sql`now()`)}`
  )
  return row?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? 0
}

/**
 * Moves the counter by one, where the presented token is the newest one of a session that lives and whose user is
 * active. The one statement decides every race: whoever waits for its lock finds the counter moved, or the end.
 */
export async function claimRotation(db: Db, rotation: Rotation): Promise<Rotated | undefined> {
  const [row] = await db
    .update(sessions)
    .set({
      refreshCounter: sql`${sessions.refreshCounter} + 1`,
      refreshKeyId: rotation.keyId,
      refreshedAt: sql`clock_timestamp()`,
      lastSeenAt: sql`clock_timestamp()`
    })
    .from(users)
    .where(
      and(
        eq(sessions.id, rotation.sessionId),
        eq(sessions.refreshCounter, rotation.counter),
        live({ idleSeconds: rotation.refreshTtlSeconds }),
        eq(users.id, sessions.userId),
        users.isActive
      )
    )
    .returning({
      userId: sessions.userId,
      email: users.email,
      counter: sessions.refreshCounter,
      keyId: sessions.refreshKeyId,
      expiresAt: sessions.expiresAt,
      refreshExpiresIn: refreshExpiresIn(rotation.refreshTtlSeconds)
    })
    .prepare('claim_rotation')
    .execute()
  return row
}

/** Undefined: never was, or swept. */
export async function findSession(db: Db, id: string, limits: RefreshLimits): Promise<SessionState | undefined> {
  const [row] = await selectSession(db, id, limits).prepare('find_session').execute()
  return row
}

/** The same, and holds the session's lock until the transaction ends. */
export async function findSessionForUpdate(
  db: Db,
  id: string,
  limits: RefreshLimits
): Promise<SessionState | undefined> {
  const query = selectSession(db, id, limits).for('no key update', { of: aliased })
  const [row] = await query.prepare('find_session_for_update').execute()
  return row
}

function selectSession(db: Db, id: string, { refreshTtlSeconds, reuseIntervalSeconds }: RefreshLimits) {
  return db
    .select({
      id: aliased.id,
      refreshedAt: aliased.refreshedAt,
      userId: aliased.userId,
      email: users.email,
      counter: aliased.refreshCounter,
      keyId: aliased.refreshKeyId,
      expiresAt: aliased.expiresAt,
      refreshExpiresIn: refreshExpiresIn(refreshTtlSeconds, aliased),
      isEnded: sql<boolean>`${aliased.endedAt} is not null`,
      isExpired: sql<boolean>`${aliased.expiresAt} <= clock_timestamp()`,
      isIdle: sql<boolean>`${aliased.refreshedAt} <= ${ago(refreshTtlSeconds)}`,
      isActive: users.isActive,
      isFresh: sql<boolean>`${aliased.refreshedAt} > ${ago(reuseIntervalSeconds)}`
    })
    .from(aliased)
    .innerJoin(users, eq(users.id, aliased.userId))
    .where(eq(aliased.id, id))
}

export async function findOwner(db: Db, id: string): Promise<string | undefined> {
  const [row] = await db.select({ userId: sessions.userId }).from(sessions).where(eq(sessions.id, id))
  return row?.userId
}

/** The session check: one indexed read for many ids, prepared once. `ids` is the text of a PostgreSQL array. */
export function prepareFindChecked(db: Db, staleSeconds: number) {
  return db
    .select({
      id: sessions.id,
      userId: sessions.userId,
      email: users.email,
      role: users.role,
      isStale: sql<boolean>`${sessions.lastSeenAt} < now() - make_interval(secs => ${staleSeconds})`
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(
      and(
        sql`${sessions.id} = any(${sql.placeholder('ids')}::uuid[])`,
        isNull(sessions.endedAt),
        gt(sessions.expiresAt, sql`now()`),
        users.isActive
      )
    )
    .prepare('check_sessions')
}

/** Waits for no lock, so it can hold nobody up in a circle: what is busy is being seen by somebody else. */
export async function updateLastSeen(db: Db, ids: string[], staleSeconds: number): Promise<void> {
  const stale = db
    .select({ id: sessions.id })
    .from(sessions)
    .where(
      and(
        sql`${sessions.id} = any(${`{${ids.join(',')}}`}::uuid[])`,
        isNull(sessions.endedAt),
        sql`${sessions.lastSeenAt} < now() - make_interval(secs => ${staleSeconds})`
      )
    )
    .for('no key update', { skipLocked: true })
  await db
    .update(sessions)
    .set({ lastSeenAt: sql`now()` })
    .where(sql`${sessions.id} = any(array(${stale}))`)
    .prepare('update_last_seen')
    .execute()
}

/** Deletes at most `limit` sessions that have been over for longer than `keepSeconds`; waits for no lock. */
export async function deleteOver(
  db: Db,
  cause: 'ended' | 'expired',
  { keepSeconds, limit }: { keepSeconds: number; limit: number }
): Promise<number> {
  const over = cause === 'ended' ? sessions.endedAt : sessions.expiresAt
  const bite = db
    .select({ id: sessions.id })
    .from(sessions)
    .where(sql`${over} < now() - make_interval(secs => ${keepSeconds})`)
    .limit(limit)
    .for('update', { skipLocked: true })
  const rows = await db.delete(sessions).where(sql`${sessions.id} = any(array(${bite}))`).returning({ id: sessions.id })
  return rows.length
}
