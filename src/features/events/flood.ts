import { unavailable } from '../../errors.js'
import type { AuditEvent, Client } from '../../events.js'
import { bounded, merged, type Tally, tallyOf } from './tally.js'

const WINDOW_MS = 60_000
/** Repeats have to be written within a second; this leaves time for the writing. */
const FLUSH_AFTER_MS = 900
/** Beyond these, addresses are no longer told apart: memory and disk stay bounded whoever comes from how many. */
const MAX_WINDOWS = 10_000
const MAX_ROWS = 500

export interface FloodDeps {
  /** Milliseconds. */
  now(): number
  /** One row, at once. */
  writeEvent(client: Client, event: AuditEvent): Promise<void>
  /** The database's clock. */
  readTime(): Promise<Date>
  /** May be called again with the same arguments after it rejected, and must not write a row twice. */
  writeTallies(tallies: Tally[], createdAt: Date): Promise<void>
  /** Repeats wait in memory because they cannot be written. Called once for each such time. */
  onFailure(error: unknown): void
  /** Some could not be written before the end either. */
  onLoss(tallies: Tally[]): void
}

interface Window {
  startedAt: number
  written: Promise<void>
}

interface Batch {
  tallies: Tally[]
  createdAt?: Date
}

/**
 * The first refusal of a kind from one address is a row before its answer leaves; repeats within the minute are counted
 * and written together. The counts add up to the number of answers, exactly.
 */
export class Flood {
  readonly #deps: FloodDeps
  readonly #windows = new Map<string, Window>()
  #counted = new Map<string, Tally>()
  #batch: Batch | undefined
  #failure: unknown
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #closed = false

  constructor(deps: FloodDeps) {
    this.#deps = deps
  }

  /** Resolves when the refusal was written or counted; rejects when it was neither, and must not be answered as such. */
  async write(client: Client, event: AuditEvent): Promise<void> {
    this.#forgetOldWindows()
    const kind = `${event.type} ${event.reason}`
    const own = `${kind} ${client.addressKey}`
    const key = this.#windows.has(own) || this.#windows.size < MAX_WINDOWS ? own : kind
    const window = this.#windows.get(key)
    if (window === undefined || !this.#isOpen(window)) return await this.#writeFirst(key, client, event)
    await window.written
    await this.#count(key, tallyOf(kind, client, event))
  }

  /** Writes what is counted. Never rejects. One at a time, so that a batch that failed is repeated as it was. */
  flush(): Promise<void> {
    this.#running = this.#running.then(async () => {
      try {
        await this.#writeBatch()
        this.#takeBatch()
        await this.#writeBatch()
        this.#failure = undefined
      } catch (error) {
        if (this.#failure === undefined) this.#deps.onFailure(error)
        this.#failure = error
      }
      if (this.#waiting().length > 0) this.#schedule()
    })
    return this.#running
  }

  /** Writes what is counted; from now on nothing waits. To be called while the database is still there. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.flush()
    const lost = this.#waiting()
    if (lost.length > 0) this.#deps.onLoss(lost)
  }

  #isOpen({ startedAt }: Window): boolean {
    const age = this.#deps.now() - startedAt
    return age >= 0 && age < WINDOW_MS
  }

  /** In the order of their beginnings, so those that are over stand in front. */
  #forgetOldWindows(): void {
    for (const [key, window] of this.#windows) {
      if (this.#isOpen(window)) return
      this.#windows.delete(key)
    }
  }

  async #writeFirst(key: string, client: Client, event: AuditEvent): Promise<void> {
    const written = this.#deps.writeEvent(client, { ...event, details: { ...event.details, count: 1 } })
    const window = { startedAt: this.#deps.now(), written }
    this.#windows.delete(key)
    this.#windows.set(key, window)
    try {
      await written
    } catch (error) {
      // There is nothing to repeat: the next one is a first again.
      if (this.#windows.get(key) === window) this.#windows.delete(key)
      throw error
    }
  }

  async #count(key: string, tally: Tally): Promise<void> {
    // While nothing can be written a repeat is refused like everything else; those that were answered are kept.
    if (this.#failure !== undefined) throw unavailable(this.#failure)
    this.#counted.set(key, merged(this.#counted.get(key), tally))
    if (this.#closed) await this.flush()
    else this.#schedule()
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.flush()
    }, FLUSH_AFTER_MS).unref()
  }

  #waiting(): Tally[] {
    return [...(this.#batch?.tallies ?? []), ...this.#counted.values()]
  }

  #takeBatch(): void {
    if (this.#counted.size === 0) return
    this.#batch = { tallies: bounded([...this.#counted.values()], MAX_ROWS) }
    this.#counted = new Map()
  }

  /**
   * A failed write may have been carried out nevertheless: its answer was lost, or the server was only slow. The rows keep
   * their ids and their time, so that writing them again changes nothing then.
   */
  async #writeBatch(): Promise<void> {
    if (this.#batch === undefined) return
    this.#batch.createdAt ??= await this.#deps.readTime()
    await this.#deps.writeTallies(this.#batch.tallies, this.#batch.createdAt)
    this.#batch = undefined
  }
}
