import { and, desc, eq, lte, sql } from 'drizzle-orm'
import type { EventPosition } from '../../lib/event-cursor.js'
import type { Db } from '../../plugins/database/index.js'
import { authEvents } from './tables.js'

export type EventRow = typeof authEvents.$inferSelect

/** Every column is given, null or not, so that the text of the statement is constant and is prepared once. */
export type NewEvent = Omit<EventRow, 'createdAt'>

/** The row gets the database's time of the insert, not that of the transaction's beginning. */
export async function insertEvent(db: Db, event: NewEvent): Promise<void> {
  await db.insert(authEvents).values(event).prepare('insert_event').execute()
}

/** May be repeated with the same rows after a failure that left open whether they were written. */
export async function insertEventsOnce(db: Db, events: EventRow[]): Promise<void> {
  await db.insert(authEvents).values(events).onConflictDoNothing()
}

/** The database's clock, to the millisecond. */
export async function findTime(db: Db): Promise<Date> {
  const now = sql`date_trunc('milliseconds', clock_timestamp())`.mapWith(authEvents.createdAt)
  const [row] = await db.select({ now }).from(sql`generate_series(1, 1)`)
  return (row as { now: Date }).now
}

/** Newest first, to be awaited. It is returned as the query that it is, so that a test can ask for its plan. */
export function listEventsOfUser(
  db: Db,
  userId: string,
  { before, limit }: { before: EventPosition | undefined; limit: number }
) {
  return db
    .select()
    .from(authEvents)
    .where(and(eq(authEvents.userId, userId), before && olderThan(before)))
    .orderBy(desc(authEvents.createdAt), desc(authEvents.id))
    .limit(limit)
}

/** The first condition is the page; the second lets PostgreSQL leave out whole partitions. */
function olderThan({ createdAt, id }: EventPosition) {
  const position = sql`(${sql.param(createdAt, authEvents.createdAt)}, ${sql.param(id, authEvents.id)})`
  return and(sql`(${authEvents.createdAt}, ${authEvents.id}) < ${position}`, lte(authEvents.createdAt, createdAt))
}

/** Makes the partitions of the current month, by the database's clock, and of `ahead` more. Safe to repeat. */
export async function insertPartitions(db: Db, ahead: number): Promise<void> {
  const month = sql`(date_trunc('month', clock_timestamp() at time zone 'UTC') + make_interval(months => month))::date`
  await db
    .select({ made: sql`postern.ensure_event_partition(${month})` })
    .from(sql`generate_series(0, ${ahead}::integer) as month`)
}

/**
 * Drops the partitions whose newest possible row is older than `retentionSeconds`, and returns their names. Does nothing
 * while another instance is at it. Dropping needs a short exclusive lock: rather than make every insert queue
 * behind it, this gives up after a second, and throws.
 */
export async function deleteExpiredPartitions(db: Db, retentionSeconds: number): Promise<string[]> {
  return await db.transaction(async (tx) => {
    await tx.execute(sql`set local lock_timeout = '1s'`)
    const partitions = await tx
      .select({ name: sql<string>`child.relname` })
      .from(sql`pg_catalog.pg_inherits`)
      .innerJoin(sql`pg_catalog.pg_class as child`, sql`child.oid = inhrelid`)
      .where(sql`inhparent = 'postern.auth_events'::regclass
        and ${UPPER_BOUND} <= clock_timestamp() - make_interval(secs => ${retentionSeconds}::double precision)
        and pg_try_advisory_xact_lock(hashtext('postern.delete_expired_partitions'))`)
      .orderBy(sql`child.relname`)
    for (const { name } of partitions) await tx.execute(sql`drop table if exists postern.${sql.identifier(name)}`)
    return partitions.map(({ name }) => name)
  })
}

/** Of `FOR VALUES FROM ('…') TO ('…')`; written and read in the same time zone. */
const UPPER_BOUND = sql.raw(
  `substring(pg_get_expr(child.relpartbound, child.oid) from 'TO \\(''([^'']+)''\\)')::timestamptz`
)
