import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import { reasonOf } from './faults.js'

export type DatabaseState = 'starting' | 'ready' | 'unavailable'

/** What one start consists of; each step is safe to repeat. */
export interface Steps {
  /** Makes sure that there is a server to connect to. */
  prepare(): Promise<void>
  /** Brings the database to this version; how many migrations that took. */
  migrate(): Promise<number>
  /** Rejects when the database is away, or no longer the one that was migrated. */
  probe(): Promise<void>
}

/** The state is never older than one pause and one probe. */
const PROBE_PAUSE_MS = 500
const PROBE_TIMEOUT_MS = 1_000
const RETRY_PAUSE_MS = 400
const REPEAT_LINE_MS = 30_000

/** Connects, migrates, runs the hooks and watches, over and over until it is closed. */
export class Lifecycle {
  readonly #steps: Steps
  readonly #log: FastifyBaseLogger
  readonly #hooks: (() => Promise<void>)[] = []
  readonly #starting = new AsyncLocalStorage<{ over: boolean }>()
  readonly #closing = new AbortController()
  #state: DatabaseState = 'starting'
  #started = false
  #running: Promise<void> = Promise.resolve()
  #reported: { reason: string; at: number } | undefined

  constructor(steps: Steps, log: FastifyBaseLogger) {
    this.#steps = steps
    this.#log = log
  }

  get state(): DatabaseState {
    return this.#state
  }

  /**
   * Whether queries are let through. Not during an outage: a request of several queries would wait for each of them.
   * Those of the start's own hooks are, but not of what the hooks have left running.
   */
  get open(): boolean {
    if (this.#closing.signal.aborted) return false
    return this.#state === 'ready' || this.#starting.getStore()?.over === false
  }

  onReady(hook: () => Promise<void>): void {
    this.#hooks.push(hook)
  }

  run(): void {
    this.#running = this.#loop()
  }

  /** Resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#state = 'unavailable'
    await this.#running
  }

  async #loop(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#start()
        this.#became('ready')
        await this.#watch()
      } catch (error) {
        if (this.#closing.signal.aborted) return
        this.#became('unavailable')
        this.#report(error)
        await this.#pause(RETRY_PAUSE_MS)
      }
    }
  }

  async #start(): Promise<void> {
    await this.#steps.prepare()
    if (this.#started && !(await this.#isLost())) return
    this.#started = false
    const applied = await this.#steps.migrate()
    if (applied > 0) this.#log.info({ applied }, 'the database has been migrated')
    const start = { over: false }
    await this.#starting
      .run(start, async () => {
        for (const hook of this.#hooks) await hook()
      })
      .finally(() => {
        start.over = true
      })
    this.#started = true
  }

  async #isLost(): Promise<boolean> {
    try {
      await this.#steps.probe()
      return false
    } catch (error) {
      if (error instanceof SchemaLost) return true
      throw error
    }
  }

  async #watch(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#pause(PROBE_PAUSE_MS)
      // Once more at once: a lost connection is not yet a lost database.
      await answersInTime(this.#steps.probe().catch(() => this.#steps.probe()))
    }
  }

  #became(state: DatabaseState): void {
    if (this.#closing.signal.aborted) return
    if (state === 'ready' && this.#reported) this.#log.info('the database is there again')
    if (state === 'ready') this.#reported = undefined
    this.#state = state
  }

  /** The first time, when the reason changes, and now and then. */
  #report(error: unknown): void {
    const reason = reasonOf(error)
    const now = performance.now()
    if (this.#reported?.reason === reason && now - this.#reported.at < REPEAT_LINE_MS) return
    this.#reported = { reason, at: now }
    this.#log.warn({ reason }, 'the database cannot be used yet; trying again')
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#closing.signal }).catch(() => {})
  }
}

/** The database answers, and is not the one that was migrated: it was dropped and made anew. */
export class SchemaLost extends Error {}

/** The probe itself goes on, so that a slow way to the database is found passable in the end. */
async function answersInTime(probe: Promise<void>): Promise<void> {
  const timer = new AbortController()
  probe.catch(() => {})
  const late = delay(PROBE_TIMEOUT_MS, undefined, { signal: timer.signal }).then(
    // After a long pause of this process the answer may be there, unread: what is due is read first.
    () => new Promise((_, reject) => setImmediate(() => reject(new Error('the database did not answer in time')))),
    () => {}
  )
  late.catch(() => {})
  try {
    await Promise.race([probe, late])
  } finally {
    timer.abort()
  }
}
