import { ApiError } from '../../errors.js'
import { bcryptDigest, estimateMs } from '../../lib/bcrypt-sha256.js'
import { Abandoned, createHashQueue, QueueFull } from '../../lib/hash-queue.js'

interface HasherOptions {
  cost: number
  concurrency: number
  queueSeconds: number
}

type HashListener = (seconds: number) => void

/** bcrypt behind its queue, counted. Each call throws `overloaded`, before any work, when too much waits. */
export function createHasher({ cost, ...capacity }: HasherOptions) {
  const { queued, onHash, stats } = createTurns(cost, capacity)
  let hashes = 0
  let rounds = 0

  async function counted(input: Buffer, roundsLog2: number, salt: string): Promise<string> {
    hashes += 1
    rounds += 2 ** roundsLog2
    return await bcryptDigest(input, roundsLog2, salt)
  }

  /**
   * The digest at the cost `from`, after as much work as the configured cost: a wrong password for an account whose
   * hash is of a lower cost must not be refused sooner than an unknown email. 2^f + (2^f + … + 2^(c-1)) = 2^c.
   */
  async function digestAtFullPrice(input: Buffer, from: number, salt: string): Promise<string> {
    const digest = await counted(input, from, salt)
    for (let extra = from; extra < cost; extra += 1) await counted(input, extra, salt)
    return digest
  }

  return {
    digest: (input: Buffer, salt: string, signal?: AbortSignal): Promise<string> =>
      queued(() => counted(input, cost, salt), signal),

    digestAtFullPrice: (input: Buffer, from: number, salt: string, signal?: AbortSignal): Promise<string> =>
      queued(() => digestAtFullPrice(input, from, salt), signal),

    /** The listener is told how long each password took, in seconds. It must not throw. */
    onHash,

    /**
     * `hashes`: how many bcrypts were begun; `rounds`: what they cost together, 2^cost each; `refused`: how many
     * passwords were shed without one.
     */
    stats: () => ({ hashes, rounds, ...stats() })
  }
}

/** The queue as the service sees it: what it refuses is an answer, and what it lets through is timed. */
function createTurns(cost: number, { concurrency, queueSeconds }: Omit<HasherOptions, 'cost'>) {
  const queue = createHashQueue({ concurrency, maxWaitMs: queueSeconds * 1000, expectedMs: estimateMs(cost) })
  const listeners: HashListener[] = []
  let refused = 0

  /** Without the wait before it: how long the work itself takes. */
  async function timed<T>(work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const result = await work()
    const seconds = (performance.now() - startedAt) / 1000
    for (const listener of listeners) listener(seconds)
    return result
  }

  function shed({ retryAfterSeconds }: QueueFull): ApiError {
    refused += 1
    return new ApiError('overloaded', { retryAfterSeconds })
  }

  async function queued<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await queue.run(() => timed(work), signal)
    } catch (error) {
      if (error instanceof QueueFull) throw shed(error)
      if (error instanceof Abandoned) throw new ApiError('request_timeout', { detail: 'The client went away.' })
      throw error
    }
  }

  return {
    queued,
    onHash: (listener: HashListener): void => void listeners.push(listener),
    stats: () => ({ refused, ...queue.stats() })
  }
}
