import { and, desc, eq, gte, lt, lte, max, min, type SQL, sql } from 'drizzle-orm'
import type { EventPosition } from '../../lib/event-cursor.js'
import type { Db } from '../../plugins/database/index.js'
import { authEvents } from '../events/tables.js'
import { users } from '../users/tables.js'
import type { EventFilter } from './filter.js'
import { eventCounts } from './tables.js'

export type EventRow = typeof authEvents.$inferSelect

/** Newest first, to be awaited. It is returned as the query that it is, so that a test can ask for its plan. */
export function listEvents(
  db: Db,
  filter: EventFilter,
  { before, limit }: { before: EventPosition | undefined; limit: number }
) {
  return db
    .select()
    .from(authEvents)
    .where(and(matches(filter), before && olderThan(before)))
    .orderBy(desc(authEvents.createdAt), desc(authEvents.id))
    .limit(limit)
}

/** The database's clock, to the millisecond. */
export async function findTime(db: Db): Promise<Date> {
  const now = sql`date_trunc('milliseconds', clock_timestamp())`.mapWith(authEvents.createdAt)
  const [row] = await db.select({ now }).from(sql`generate_series(1, 1)`)
  return (row as { now: Date }).now
}

function matches({
  impossible,
  type,
  success,
  reason,
  address,
  network,
  email,
  userId,
  from,
  to
}: EventFilter): SQL | undefined {
  return and(
    impossible && sql`false`,
    type === undefined ? undefined : eq(authEvents.eventType, type),
    success === undefined ? undefined : success ? sql`${authEvents.success}` : sql`not ${authEvents.success}`,
    reason === undefined ? undefined : eq(authEvents.failureReason, reason),
    address === undefined ? undefined : eq(authEvents.ipAddress, address),
    network === undefined ? undefined : sql`${authEvents.ipAddress} <<= ${network}::inet`,
    email === undefined ? undefined : eq(authEvents.email, email),
    userId === undefined ? undefined : eq(authEvents.userId, userId),
    from && gte(authEvents.createdAt, from),
    to && lt(authEvents.createdAt, to)
  )
}

/** The first condition is the page; the second lets PostgreSQL leave out whole partitions. */
function olderThan({ createdAt, id }: EventPosition): SQL | undefined {
  const position = sql`(${sql.param(createdAt, authEvents.createdAt)}, ${sql.param(id, authEvents.id)})`
  return and(sql`(${authEvents.createdAt}, ${authEvents.id}) < ${position}`, lte(authEvents.createdAt, createdAt))
}

/** So many answers of one kind in one bucket. */
export interface CountRow {
  at: Date
  eventType: string
  success: boolean
  /** Empty where there is none. */
  failureReason: string
  answers: number
}

export interface AddressRow {
  address: string
  answers: number
  accounts: number
}

/** As `insights` has it; `evidence` differs from pattern to pattern. */
export interface InsightRow {
  pattern: string
  subject: string
  since: Date
  until: Date
  answers: number
  evidence: Record<string, unknown>
}

interface Span {
  from: Date
  to: Date
}

/** Buckets of a week begin on Mondays, those of a day at midnight UTC. */
const ORIGIN = sql.raw(`'2001-01-01T00:00:00Z'::timestamptz`)

const ANSWERS = sql.raw(`coalesce((details->>'count')::bigint, 1)`)

const at = (time: Date): SQL => sql`${sql.param(time, authEvents.createdAt)}::timestamptz`

/** The start of the bucket that a time lies in. */
export async function findBucketStart(db: Db, secondsAgo: number, bucketSeconds: number): Promise<Date> {
  const time = sql`clock_timestamp() - make_interval(secs => ${secondsAgo}::double precision)`
  const start = sql`date_bin(make_interval(secs => ${bucketSeconds}::double precision), ${time}, ${ORIGIN})`
  const [row] = await db.select({ start: start.mapWith(authEvents.createdAt) }).from(sql`generate_series(1, 1)`)
  return (row as { start: Date }).start
}

/**
 * What happened in a span, by bucket. Before `summedUntil` it is read from the sums by the hour, which both times and the
 * bucket must then be whole hours for; after it from the trail.
 */
export async function listCounts(
  db: Db,
  { from, to }: Span,
  { bucketSeconds, summedUntil }: { bucketSeconds: number; summedUntil: Date }
): Promise<CountRow[]> {
  const live = from > summedUntil ? from : summedUntil
  const bucket = sql`date_bin(make_interval(secs => ${bucketSeconds}::double precision), at, ${ORIGIN})`
  const rows = await db.execute(sql`
    select ${bucket} as at, event_type, success, failure_reason, sum(answers)::bigint as answers
    from (
      select hour as at, event_type, success, failure_reason, answers from ${eventCounts}
      where hour >= ${at(from)} and hour < ${at(summedUntil)} and hour < ${at(to)}
      union all
      select created_at, event_type, success, coalesce(failure_reason, ''), ${ANSWERS} from ${authEvents}
      where created_at >= ${at(live)} and created_at < ${at(to)}
    ) as both_of_them
    group by 1, 2, 3, 4 order by 1, 2, 3, 4`)
  return rows.map((row) => ({
    at: toDate(row.at),
    eventType: String(row.event_type),
    success: row.success === true,
    failureReason: String(row.failure_reason),
    answers: Number(row.answers)
  }))
}

/** Drizzle has times come as text. */
function toDate(text: unknown): Date {
  return authEvents.createdAt.mapFromDriverValue(String(text)) as Date
}

/** The addresses that most was refused to that looks like guessing, the busiest first. */
export async function listTopAddresses(db: Db, { from, to }: Span, limit: number): Promise<AddressRow[]> {
  return await db.transaction(async (tx) => {
    await setInsightWindow(tx, (to.getTime() - from.getTime()) / 1000 + 60)
    const rows = await tx.execute(sql`
      select text(address) as address, sum(answers)::bigint as answers, count(distinct email) as accounts
      from postern.insight_guesses where address is not null and created_at >= ${at(from)} and created_at < ${at(to)}
      group by insight_guesses.address order by 2 desc, 1 limit ${limit}`)
    return rows.map(({ address, answers, accounts }) => ({
      address: String(address).replace(/\/(?:32|128)$/, ''),
      answers: Number(answers),
      accounts: Number(accounts)
    }))
  })
}

/** What the view finds, the latest first, and how many there are beyond `limit`. */
export async function listInsights(
  db: Db,
  { windowSeconds, limit }: { windowSeconds: number; limit: number }
): Promise<{ insights: InsightRow[]; total: number }> {
  return await db.transaction(async (tx) => {
    await setInsightWindow(tx, windowSeconds)
    const rows = await tx.execute(sql`select *, count(*) over () as total from postern.insights
      order by until desc, pattern, subject limit ${limit}`)
    const insights = rows.map((row) => ({
      pattern: String(row.pattern),
      subject: String(row.subject),
      since: toDate(row.since),
      until: toDate(row.until),
      answers: Number(row.answers),
      evidence: toObject(row.evidence)
    }))
    return { insights, total: Number(rows[0]?.total ?? 0) }
  })
}

function toObject(json: unknown): Record<string, unknown> {
  return (typeof json === 'string' ? JSON.parse(json) : json) as Record<string, unknown>
}

/** For this transaction. */
async function setInsightWindow(tx: Db, seconds: number): Promise<void> {
  await tx.execute(sql`select set_config('postern.insight_window', ${`${Math.ceil(seconds)} seconds`}, true)`)
}

export async function countUsers(db: Db): Promise<number> {
  return await db.$count(users)
}

/** Where the sums by the hour end; undefined when there are none. */
export async function findSummedUntil(db: Db): Promise<Date | undefined> {
  const end = sql`${max(eventCounts.hour)} + interval '1 hour'`.mapWith(eventCounts.hour)
  const [row] = await db.select({ end }).from(eventCounts)
  return row?.end ?? undefined
}

/** The first hour of the trail, and the last one that is over for long enough for all of its rows to be there. */
export async function findWholeHours(db: Db, graceSeconds: number): Promise<{ from: Date | undefined; to: Date }> {
  const from = sql`date_trunc('hour', ${min(authEvents.createdAt)}, 'UTC')`.mapWith(authEvents.createdAt)
  const grace = sql`make_interval(secs => ${graceSeconds}::double precision)`
  const to = sql`date_trunc('hour', clock_timestamp() - ${grace}, 'UTC')`.mapWith(authEvents.createdAt)
  const [row] = await db.select({ from, to }).from(authEvents)
  const { from: first, to: last } = row as { from: Date | null; to: Date }
  return { from: first ?? undefined, to: last }
}

/** Sums up a span of whole hours, once more where it was. False, and nothing happened, while another instance is at it. */
export async function updateCounts(db: Db, { from, to }: Span): Promise<boolean> {
  return await db.transaction(async (tx) => {
    const [lock] = await tx.execute(sql`select pg_try_advisory_xact_lock(hashtext('postern.event_counts')) as mine`)
    if (lock?.mine !== true) return false
    await tx.delete(eventCounts).where(and(gte(eventCounts.hour, from), lt(eventCounts.hour, to)))
    await tx.execute(sql`
      insert into ${eventCounts} (hour, event_type, success, failure_reason, answers)
      select date_trunc('hour', created_at, 'UTC'), event_type, success, coalesce(failure_reason, ''), sum(${ANSWERS})
      from ${authEvents} where created_at >= ${at(from)} and created_at < ${at(to)} group by 1, 2, 3, 4`)
    return true
  })
}

/** Forgets the sums of what the trail has no longer. */
export async function deleteCountsBefore(db: Db, time: Date): Promise<void> {
  await db.delete(eventCounts).where(lt(eventCounts.hour, time))
}
