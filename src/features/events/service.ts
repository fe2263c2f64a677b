import { ApiError, unavailable } from '../../errors.js'
import type { AuditEvent, Client } from '../../events.js'
import { decodeCursor, encodeCursor } from '../../lib/event-cursor.js'
import { version } from '../../lib/version.js'
import type { Db } from '../../plugins/database/index.js'
import { Flood } from './flood.js'
import { toRow } from './row.js'
import { type EventRow, findTime, insertEvent, insertEventsOnce, listEventsOfUser } from './store.js'
import { canFlood, type Tally } from './tally.js'

export type { EventRow } from './store.js'

export interface EventPage {
  events: EventRow[]
  /** Undefined at the end. */
  nextCursor: string | undefined
}

export interface Events {
  /**
   * Writes one row on `db`: an open transaction where state changes, so that change and event stand or fall together.
   * `client` is undefined for an act of the service itself. Rejects with `unavailable` when it cannot be written.
   */
  record(db: Db, client: Client | undefined, event: AuditEvent): Promise<void>
  /**
   * Writes what was refused and changed nothing. What could flood the disk is written at once the first time, then counted;
   * see `docs/events.md`. Rejects with `unavailable` when it can be neither written nor counted: the refusal
   * must then be answered as 503.
   */
  refuse(client: Client, event: AuditEvent): Promise<void>
  /** A user's own history, newest first. Throws `invalid_request` for a cursor that no page gave out. */
  list(userId: string, page: { cursor: string | undefined; limit: number }): Promise<EventPage>
  /** Writes the counts that wait in memory; they are otherwise written within a second. Never rejects. */
  flush(): Promise<void>
  /**
   * The listener is told of every event once it is written or counted, in an open transaction before the commit. It must
   * be quick and must not throw. For the time when the app boots.
   */
  subscribe(listener: EventListener): void
}

export type EventListener = (event: AuditEvent) => void

/** What the service needs of the log. */
export interface EventLog {
  info(details: object, message: string): void
  error(details: object, message: string): void
}

interface EventsDeps {
  db: Db
  clock: { now(): number }
  log: EventLog
}

export function createEvents({ db, clock, log }: EventsDeps): Events & { close(): Promise<void> } {
  const flood = new Flood({
    now: () => clock.now(),
    writeEvent: (client, event) => record(db, client, event),
    readTime: () => findTime(db),
    writeTallies: (tallies, createdAt) => insertEventsOnce(db, summaries(tallies, createdAt)),
    onFailure: (error) => log.error({ err: error }, 'repeated refusals cannot be written and wait in memory'),
    onLoss: (tallies) => log.error({ lost: countsByKind(tallies) }, 'repeated refusals were never written')
  })

  const listeners: EventListener[] = []

  function tell(event: AuditEvent): void {
    for (const listener of listeners) listener(event)
  }

  return {
    async record(tx, client, event) {
      await record(tx, client, event)
      tell(event)
    },
    async refuse(client, event) {
      await (canFlood(event) ? flood.write(client, event) : record(db, client, event))
      tell(event)
    },
    subscribe: (listener) => void listeners.push(listener),
    async list(userId, { cursor, limit }) {
      const before = cursor === undefined ? undefined : positionOf(cursor)
      const rows = await listEventsOfUser(db, userId, { before, limit: limit + 1 })
      const events = rows.slice(0, limit)
      const last = events.at(-1)
      return { events, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last) : undefined }
    },
    flush: () => flood.flush(),
    close: () => flood.close()
  }
}

/** As {@link Events.record}, for who has no more than a database. */
export async function record(db: Db, client: Client | undefined, event: AuditEvent): Promise<void> {
  try {
    await insertEvent(db, toRow(client, event))
  } catch (error) {
    // Whatever the cause: an operation that leaves no trace must not take place.
    throw unavailable(error)
  }
}

/** The event of an instance that came up; `instanceId` tells instances of one version apart. */
export function serviceStarted(instanceId: string): AuditEvent {
  return {
    type: 'service_started',
    success: true,
    details: { version, instance_id: instanceId, node: process.version }
  }
}

function summaries(tallies: Tally[], createdAt: Date): EventRow[] {
  return tallies.map(({ row, count }) => ({ ...row, createdAt, details: { count } }))
}

function countsByKind(tallies: Tally[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind, count } of tallies) counts[kind] = (counts[kind] ?? 0) + count
  return counts
}

function positionOf(cursor: string) {
  const position = decodeCursor(cursor)
  if (position !== undefined) return position
  const message = 'Send the `next_cursor` of the page before, as it is.'
  throw new ApiError('invalid_request', { errors: [{ field: 'cursor', code: 'invalid_format', message }] })
}
