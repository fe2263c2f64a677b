import { ApiError } from '../../errors.js'
import { bcryptDigest, estimateMs } from '../../lib/bcrypt-sha256.js'
import { Abandoned, createHashQueue, QueueFull } from '../../lib/hash-queue.js'

interface HasherOptions {
  cost: number
  concurrency: number
  queueSeconds: number
}

/** bcrypt behind its queue, counted. Each call throws `overloaded`, before any work, when too much waits. */
export function createHasher({ cost, concurrency, queueSeconds }: HasherOptions) {
  const queue = createHashQueue({ concurrency, maxWaitMs: queueSeconds * 1000, expectedMs: estimateMs(cost) })
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

  async function queued<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await queue.run(work, signal)
    } catch (error) {
      if (error instanceof QueueFull) throw new ApiError('overloaded', { retryAfterSeconds: error.retryAfterSeconds })
      if (error instanceof Abandoned) throw new ApiError('request_timeout', { detail: 'The client went away.' })
      throw error
    }
  }

  return {
    digest: (input: Buffer, salt: string, signal?: AbortSignal): Promise<string> =>
      queued(() => counted(input, cost, salt), signal),

    digestAtFullPrice: (input: Buffer, from: number, salt: string, signal?: AbortSignal): Promise<string> =>
      queued(() => digestAtFullPrice(input, from, salt), signal),

    /** `hashes`: how many bcrypts were begun; `rounds`: what they cost together, 2^cost each. */
    stats: () => ({ hashes, rounds, ...queue.stats() })
  }
}
