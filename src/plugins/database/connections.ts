import type { FastifyBaseLogger } from 'fastify'
import type postgres from 'postgres'
import type { DatabaseTarget } from '../../lib/database-url.js'
import { Dialer } from './dialer.js'
import { SchemaLost } from './lifecycle.js'
import { checkServer, isMigrated, migrateOver, migrations, missingOf, timeOf } from './migrate.js'
import { openSessions, type SessionOptions } from './pool.js'
import { Slots } from './slots.js'

const POOL_SIZE = 10
const PROBE_MS = 1_000
/** An attempt from before the database's return must not hold up the next one for long. */
const PROBE_CONNECT_MS = 2_000
const CLOSE_SECONDS = 1

interface Open {
  target: DatabaseTarget
  dialer: Dialer
  pool: postgres.Sql
  /** A connection of its own, so that a full pool is not taken for a dead database. */
  probe: postgres.Sql
}

/**
 * Every connection to the database, with its deadlines. The server's own limits come first, since after them the
 * connection is still good; then ours; then the timeout has not passed yet, so that the answer leaves within it.
 */
export class Connections {
  readonly slots: Slots
  readonly #log: FastifyBaseLogger
  readonly #newest = timeOf(migrations().at(-1))
  #session: Omit<SessionOptions, 'max'>
  #open: Open | undefined

  constructor(timeoutMs: number, log: FastifyBaseLogger) {
    const deadlineMs = Math.floor(timeoutMs * 0.9)
    const serverMs = Math.floor(timeoutMs * 0.75)
    this.slots = new Slots(POOL_SIZE, deadlineMs)
    this.#log = log
    this.#session = {
      connectMs: deadlineMs,
      deadlineMs,
      prepare: true,
      serverLimitsMs: { statement: serverMs, lock: Math.floor(timeoutMs * 0.6), idleInTransaction: serverMs }
    }
  }

  /** Points all connections at a server, unless they are already. */
  open(target: DatabaseTarget): void {
    if (this.#open && JSON.stringify(this.#open.target) === JSON.stringify(target)) return
    this.#connect(target)
  }

  get pool(): postgres.Sql {
    return this.#connected.pool
  }

  async probe(): Promise<void> {
    if (!(await isMigrated(this.#connected.probe, this.#newest))) throw new SchemaLost('the tables are gone')
  }

  /** Brings the database to this version; how many migrations that took. */
  async migrate(): Promise<number> {
    await this.#adapt()
    const { target, dialer, probe } = this.#connected
    // Not on the patient connection, which would wait long for a server that has gone meanwhile.
    return (await missingOf(probe)).length === 0 ? 0 : migrateOver(dialer, target)
  }

  /** Lets running statements end for a moment, then cuts what is left. */
  async close(): Promise<void> {
    await this.#open?.pool.end({ timeout: CLOSE_SECONDS })
    this.#cut()
  }

  get #connected(): Open {
    if (!this.#open) throw new Error('there is no server yet')
    return this.#open
  }

  /** A pooler between may refuse the limits at the start of a session, and lose prepared statements. */
  async #adapt(): Promise<void> {
    const { target, probe } = this.#connected
    try {
      const { pooled } = await checkServer(probe)
      if (pooled && this.#session.prepare) this.#connect(target, { prepare: false })
    } catch (error) {
      if (!this.#session.serverLimitsMs || !refusesParameter(error)) throw error
      this.#log.warn(
        'what is at DATABASE_URL refuses statement_timeout: set it, and lock_timeout, for the role instead'
      )
      this.#connect(target, { serverLimitsMs: undefined })
      await this.#adapt()
    }
  }

  #connect(target: DatabaseTarget, changes: Partial<SessionOptions> = {}): void {
    this.#cut()
    this.#session = { ...this.#session, ...changes }
    const dialer = new Dialer(target)
    const connectMs = Math.min(this.#session.connectMs, PROBE_CONNECT_MS)
    this.#open = {
      target,
      dialer,
      pool: openSessions(target, dialer, { ...this.#session, max: POOL_SIZE }),
      probe: openSessions(target, dialer, { ...this.#session, connectMs, deadlineMs: PROBE_MS, max: 1 })
    }
  }

  #cut(): void {
    void this.#open?.pool.end({ timeout: 0 })
    void this.#open?.probe.end({ timeout: 0 })
    this.#open?.dialer.close()
  }
}

/** PgBouncer says so unless `ignore_startup_parameters` names it. */
function refusesParameter(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message: string }
  return code === '08P01' && message.includes('startup parameter')
}
