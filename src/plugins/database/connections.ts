import type { FastifyBaseLogger } from 'fastify'
import type postgres from 'postgres'
import type { DatabaseTarget } from '../../lib/database-url.js'
import { Dialer } from './dialer.js'
import { SchemaLost } from './lifecycle.js'
import { applyMigrations, migrations, newestMigration, PATIENCE_MS } from './migrate.js'
import { openSessions, type SessionOptions } from './pool.js'
import { Slots } from './slots.js'

const POOL_SIZE = 10
const PROBE_MS = 1_000
const CLOSE_SECONDS = 1

/**
 * Every connection to the database, with its deadlines. The server's own limits come first, since after them the
 * connection is still good; then ours; then the timeout has not passed yet, so that the answer leaves within it.
 */
export class Connections {
  readonly slots: Slots
  #session: Omit<SessionOptions, 'max'>
  readonly #log: FastifyBaseLogger
  readonly #expected = migrations().at(-1)?.folderMillis ?? 0
  #target: DatabaseTarget | undefined
  #dialer: Dialer | undefined
  #pool: postgres.Sql | undefined
  #probe: postgres.Sql | undefined

  constructor(timeoutMs: number, log: FastifyBaseLogger) {
    const deadlineMs = Math.floor(timeoutMs * 0.9)
    const serverMs = Math.floor(timeoutMs * 0.75)
    this.slots = new Slots(POOL_SIZE, deadlineMs)
    this.#log = log
    this.#session = {
      connectMs: deadlineMs,
      deadlineMs,
      serverLimitsMs: { statement: serverMs, lock: Math.floor(timeoutMs * 0.6), idleInTransaction: serverMs }
    }
  }

  /** Points all connections at a server, unless they are already. */
  open(target: DatabaseTarget): void {
    if (this.#target && JSON.stringify(this.#target) === JSON.stringify(target)) return
    this.#connect(target)
  }

  #connect(target: DatabaseTarget): void {
    this.#end()
    this.#target = target
    this.#dialer = new Dialer(target)
    this.#pool = openSessions(target, this.#dialer, { ...this.#session, max: POOL_SIZE })
    // Of its own, so that a full pool is not taken for a dead database.
    this.#probe = openSessions(target, this.#dialer, { ...this.#session, deadlineMs: PROBE_MS, max: 1 })
  }

  get pool(): postgres.Sql {
    if (!this.#pool) throw new Error('there is no server yet')
    return this.#pool
  }

  async probe(): Promise<void> {
    if (!this.#probe) throw new Error('there is no server yet')
    if ((await newestMigration(this.#probe)) < this.#expected) throw new SchemaLost('the tables are gone')
  }

  /** On a connection of its own, whose limits are patient. */
  async migrate(): Promise<number> {
    if (!this.#target || !this.#dialer) throw new Error('there is no server yet')
    await this.#agreeOnLimits(this.#target)
    const { connectMs } = this.#session
    const sql = openSessions(this.#target, this.#dialer, { connectMs, deadlineMs: PATIENCE_MS, max: 1 })
    try {
      return await applyMigrations(sql)
    } finally {
      await sql.end({ timeout: CLOSE_SECONDS })
    }
  }

  /** Lets running statements end for a moment, then cuts what is left. */
  async close(): Promise<void> {
    await Promise.all([this.#pool?.end({ timeout: CLOSE_SECONDS }), this.#probe?.end({ timeout: 0 })])
    this.#dialer?.closeAll()
  }

  /** A pooler between (PgBouncer) may refuse the limits when a session starts; then they are the database's affair. */
  async #agreeOnLimits(target: DatabaseTarget): Promise<void> {
    try {
      await this.#probe?.unsafe('select 1')
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string }
      if (code !== '08P01' || !message.includes('startup parameter') || !this.#session.serverLimitsMs) throw error
      this.#log.warn(
        'what is at DATABASE_URL refuses statement_timeout: set it, and lock_timeout, for the role instead'
      )
      this.#session = { ...this.#session, serverLimitsMs: undefined }
      this.#connect(target)
    }
  }

  #end(): void {
    void this.#pool?.end({ timeout: 0 })
    void this.#probe?.end({ timeout: 0 })
    this.#dialer?.closeAll()
  }
}
