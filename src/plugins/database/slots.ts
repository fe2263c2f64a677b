import { AsyncResource } from 'node:async_hooks'
import { unavailable } from '../../errors.js'

/** A piece of work that has been given up is told so, and must begin nothing more. */
export interface Call {
  expired: boolean
}

/**
 * Lets so many calls use the database at once, the others waiting in order, and none longer than the deadline. Calls
 * never wait inside postgres.js, whose queue cannot be left: what nobody waits for any more is not begun.
 */
export class Slots {
  readonly #deadlineMs: number
  readonly #waiting = new Set<() => void>()
  #free: number

  constructor(count: number, deadlineMs: number) {
    this.#free = count
    this.#deadlineMs = deadlineMs
  }

  /** Resolves as `work` does; rejects with `unavailable` when the deadline comes first. */
  run<T>(work: (call: Call) => PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const call: Call = { expired: false }
      const begin = () => {
        this.#free--
        Promise.resolve(work(call))
          .then(resolve, reject)
          .finally(() => {
            clearTimeout(timer)
            this.#release()
          })
      }
      const queued = AsyncResource.bind(begin)
      const timer = setTimeout(() => {
        // After a long pause of this process the answer may be there, unread: what is due is read first.
        setImmediate(() => {
          call.expired = true
          this.#waiting.delete(queued)
          reject(unavailable(new Error('the database did not answer in time')))
        })
      }, this.#deadlineMs)
      if (this.#free > 0) begin()
      else this.#waiting.add(queued)
    })
  }

  #release(): void {
    this.#free++
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next)
    next()
  }
}
