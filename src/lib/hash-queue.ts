export interface HashQueueOptions {
  /** How many run at once. */
  concurrency: number
  /** How long a new entry may have to wait. */
  maxWaitMs: number
  /** How long one is expected to take, until some were measured. */
  expectedMs: number
}

/** Thrown instead of waiting too long; after `retryAfterSeconds`, 1 or more, what waits now is expected to be done. */
export class QueueFull extends Error {
  readonly retryAfterSeconds: number

  constructor(retryAfterSeconds: number) {
    super('more work is waiting than can be done in time')
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Thrown for an entry whose client went away before its turn. */
export class Abandoned extends Error {}

interface Entry {
  start(): void
}

export type HashQueue = ReturnType<typeof createHashQueue>

/** The share of the newest measurement in the running average. */
const WEIGHT = 0.2
/** A machine that slept for an hour must not be taken for one that hashes for an hour. */
const MOST_OF_AVERAGE = 4

/**
 * Runs work in order of arrival, `concurrency` at once. It stands in front of libuv's pool, so that no more than this
 * ever waits there: everything else that needs the pool would wait behind it. Bounded by waiting time, not by length;
 * one entry may always wait, so that there is always a measurement to come.
 */
export function createHashQueue({ concurrency, maxWaitMs, expectedMs }: HashQueueOptions) {
  const waiting = new Set<Entry>()
  let running = 0
  let averageMs = expectedMs

  function admit(): void {
    if (running < concurrency || waiting.size === 0) return
    const waitMs = ((waiting.size + 1) * averageMs) / concurrency
    if (waitMs > maxWaitMs) throw new QueueFull(Math.ceil(waitMs / 1000))
  }

  function next(): void {
    const [entry] = waiting
    if (entry === undefined || running >= concurrency) return
    waiting.delete(entry)
    running += 1
    entry.start()
  }

  async function turn(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const entry = { start: done }
      waiting.add(entry)
      signal?.addEventListener('abort', leave, { once: true })
      next()

      function done(): void {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      function leave(): void {
        waiting.delete(entry)
        reject(new Abandoned())
      }
    })
  }

  function measured(elapsedMs: number): void {
    averageMs += WEIGHT * (Math.min(elapsedMs, MOST_OF_AVERAGE * averageMs) - averageMs)
  }

  return {
    /** Throws QueueFull at once, or Abandoned while it waits; nothing was done then. Rejects as the work does. */
    async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      if (signal?.aborted) throw new Abandoned()
      admit()
      await turn(signal)
      const startedAt = performance.now()
      try {
        return await work()
      } finally {
        measured(performance.now() - startedAt)
        running -= 1
        next()
      }
    },

    stats: () => ({ waiting: waiting.size, running, averageMs })
  }
}
