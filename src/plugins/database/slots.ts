import { AsyncResource } from 'node:async_hooks'
import { unavailable } from '../../errors.js'

/** A piece of work that has been given up is told so, and must begin nothing more. */
export interface Call {
  expired: boolean
}

/** Calls that use the database, that wait for their turn, and how many may use it at once. */
export interface SlotStats {
  running: number
  waiting: number
  limit: number
  /** How many were given up at the deadline, since the start. */
  timeouts: number
}

/**
 * Lets so many calls use the database at once, the others waiting in order, and none longer than the deadline. Calls
 * never wait inside postgres.js, whose queue cannot be left: what nobody waits for any more is not begun.
 */
export class Slots {
  readonly #deadlineMs: number
  readonly #waiting = new Set<() => void>()
  readonly #limit: number
  #free: number
  #timeouts = 0

  constructor(count: number, deadlineMs: number) {
    this.#limit = count
    this.#free = count
    this.#deadlineMs = deadlineMs
  }

  /** Resolves as `work` does; rejects with `unavailable` when the deadline comes first. */
  run<T>(work: (call: Call) => PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call: Call = { expired: false }
      const begin = async () => {
        this.#free--
        try {
          resolve(await work(call))
        } catch (error) {
          reject(error)
        }
        clearTimeout(timer)
        this.#release()
      }
      const queued = AsyncResource.bind(begin)
      const timer = setTimeout(() => {
        // After a long pause of this process the answer may be there, unread: what is due is read first.
        setImmediate(() => {
          call.expired = true
          this.#timeouts += 1
          this.#waiting.delete(queued)
          reject(unavailable(new Error('the database did not answer in time')))
        })
      }, this.#deadlineMs)
      if (this.#free > 0) void begin()
      else this.#waiting.add(queued)
    })
  }

  stats(): SlotStats {
    return {
      running: this.#limit - this.#free,
      waiting: this.#waiting.size,
      limit: this.#limit,
      timeouts: this.#timeouts
    }
  }

  #release(): void {
    this.#free++
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next)
    next()
  }
}
