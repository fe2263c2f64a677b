import type { FastifyBaseLogger } from 'fastify'
import { describeRedis, type RedisTarget } from '../../../lib/redis-url.js'
import type { Count } from '../memory-counter.js'
import type { Attempt } from '../shared-counter.js'
import { Connection, RedisFault } from './connection.js'
import { countOnServer } from './script.js'

type Log = Pick<FastifyBaseLogger, 'info' | 'warn'>

export type RedisMode = 'shared' | 'degraded'

export interface RedisTiming {
  /** The longest that an attempt waits. */
  answerMs: number
  /** To come back Redis must be quicker than to stay, or a slow one would come and go every second. */
  returnMs: number
  connectMs: number
  /** Between two looks at it, whether it is there or away. */
  everyMs: number
}

/** With what a busy process adds, an attempt waits less than 100 ms. */
export const REDIS_TIMING: RedisTiming = { answerMs: 80, returnMs: 40, connectMs: 1000, everyMs: 1000 }

/**
 * How long the server may still count an attempt that was given up. Not 0: an answer that is late because this process
 * was busy is as good as any.
 */
const LATE_MS = 1000

const UNUSED = 'is not used any more'

/** Counts nobody's attempts, and needs every right that an attempt needs. */
const PROBE: Attempt = { key: 'probe', windowMs: 1000, known: 0, missed: 0, resetMs: 1000 }

/**
 * Counts attempts in Redis for as long as that answers in time. At the first fault the connection is given up, and
 * until a new one has proved itself in the background no attempt waits for it or sends it anything.
 */
export class RedisCounts {
  readonly #target: RedisTarget
  readonly #log: Log
  readonly #timing: RedisTiming
  readonly #changes: Record<RedisMode, number> = { shared: 0, degraded: 0 }
  #mode: RedisMode | undefined
  #reason = 'not tried yet'
  #connection: Connection | undefined
  /** Of the server's clock against this process's `performance`; too great by the time of one answer at most. */
  #serverAheadMs = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(target: RedisTarget, log: Log, timing: RedisTiming) {
    this.#target = target
    this.#log = log
    this.#timing = timing
  }

  get mode(): RedisMode {
    return this.#mode ?? 'degraded'
  }

  /** How often the mode has become each, since the first was known. */
  get changes(): Readonly<Record<RedisMode, number>> {
    return this.#changes
  }

  describe(): string {
    const where = describeRedis(this.#target)
    if (this.mode === 'shared') return `shared through ${where}`
    return `counted by this instance alone, with the same numbers: ${where} ${this.#reason}`
  }

  /** Resolves once it is known whether Redis is there, after about a second at the latest. */
  async start(): Promise<void> {
    await this.#connect()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#connection?.end(new RedisFault(UNUSED))
  }

  /** As `SharedCount` promises. */
  count(attempt: Attempt): Promise<Count | undefined> | undefined {
    if (this.#connection === undefined || this.mode !== 'shared') return undefined
    const { answerMs } = this.#timing
    const notAfterMs = Math.ceil(performance.now() + this.#serverAheadMs + answerMs + LATE_MS)
    return this.#count(this.#connection, attempt, answerMs, notAfterMs)
  }

  /** Undefined: not counted; then Redis is away from now on. */
  async #count(
    connection: Connection,
    attempt: Attempt,
    withinMs: number,
    notAfterMs: number
  ): Promise<Count | undefined> {
    const sentAt = performance.now()
    try {
      const { serverMs, count } = await countOnServer(connection, attempt, notAfterMs, sentAt + withinMs)
      this.#serverAheadMs = serverMs - sentAt
      return count
    } catch (error) {
      connection.end(faultOf(error))
      return undefined
    }
  }

  async #connect(): Promise<void> {
    const { connectMs } = this.#timing
    const deadlineAt = performance.now() + connectMs
    try {
      this.#connection = await Connection.open(this.#target, connectMs, (fault) => this.#onAway(fault))
      await this.#prove(this.#connection, deadlineAt)
    } catch (error) {
      this.#onAway(faultOf(error))
    }
  }

  /** It is used once it has done what an attempt needs, in time. The first probe may take longer: it brings the script. */
  async #prove(connection: Connection, deadlineAt: number): Promise<void> {
    try {
      if (this.#stopped) throw new RedisFault(UNUSED)
      await this.#logIn(connection, deadlineAt)
      const { answerMs, returnMs } = this.#timing
      const withinMs = this.#mode === undefined ? answerMs : returnMs
      if (
        (await this.#probe(connection, deadlineAt - performance.now())) &&
        (await this.#probe(connection, withinMs))
      ) {
        this.#onThere(connection)
      }
    } catch (error) {
      connection.end(faultOf(error))
    }
  }

  async #logIn(connection: Connection, deadlineAt: number): Promise<void> {
    const { user, password, database } = this.#target
    const name = user === undefined ? [] : [user]
    if (password !== undefined) await connection.call(['AUTH', ...name, password], deadlineAt)
    if (database !== 0) await connection.call(['SELECT', database], deadlineAt)
  }

  /** Whether the server counts within that time; if not, the connection has ended. It may count late: nobody looks at this key. */
  async #probe(connection: Connection, withinMs: number): Promise<boolean> {
    return (await this.#count(connection, PROBE, withinMs, 0)) !== undefined
  }

  /** Unless it has ended behind its last answer. */
  #onThere(connection: Connection): void {
    if (this.#connection !== connection) return
    this.#change('shared')
    this.#lookAgain(connection)
  }

  /** Finds out that Redis is gone before an attempt has to, and keeps the connection from being forgotten on its way. */
  #lookAgain(connection: Connection): void {
    this.#schedule(async () => {
      await this.#probe(connection, this.#timing.answerMs)
      if (this.#connection === connection) this.#lookAgain(connection)
    })
  }

  #onAway({ reason }: RedisFault): void {
    this.#connection = undefined
    this.#reason = reason
    this.#change('degraded')
    this.#schedule(() => this.#connect())
  }

  #schedule(look: () => Promise<void>): void {
    clearTimeout(this.#timer)
    if (!this.#stopped) this.#timer = setTimeout(look, this.#timing.everyMs).unref()
  }

  #change(mode: RedisMode): void {
    if (this.#mode === mode || this.#stopped) return
    if (this.#mode !== undefined) this.#changes[mode] += 1
    this.#mode = mode
    const redis = describeRedis(this.#target)
    if (mode === 'shared') this.#log.info({ redis }, 'rate limits are shared between instances')
    else
      this.#log.warn(
        { redis, reason: this.#reason },
        'rate limits are counted by this instance alone, until Redis is back'
      )
  }
}

/** Whatever it was: an attempt is never lost for it. */
function faultOf(error: unknown): RedisFault {
  return error instanceof RedisFault ? error : new RedisFault('the client failed')
}
