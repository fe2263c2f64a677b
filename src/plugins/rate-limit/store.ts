import type { FastifyRateLimitOptions, FastifyRateLimitStore, FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { Counter, CounterFactory } from './memory-counter.js'

type Callback = Parameters<FastifyRateLimitStore['incr']>[1]

/** What `createRateLimit` hands to `child`: its own options, `policy` among them. */
interface PolicyParams {
  policy?: string
  timeWindow: number
}

/**
 * The store of @fastify/rate-limit over one counter for each policy. The plugin's own store reads the system's time and keeps
 * 5,000 addresses, which is few enough to be flooded out.
 */
export function counterStore(factory: CounterFactory): FastifyRateLimitStoreCtor {
  return class CounterStore implements FastifyRateLimitStore {
    readonly #count: Counter

    constructor(options: FastifyRateLimitOptions) {
      const { policy = 'default', timeWindow } = options as PolicyParams
      this.#count = factory({ name: policy, windowMs: timeWindow })
    }

    incr(key: string, done: Callback): void {
      this.#incr(key).then(
        (result) => done(null, result),
        (error) => done(error instanceof Error ? error : new Error('the counter failed', { cause: error }))
      )
    }

    async #incr(key: string): Promise<{ current: number; ttl: number }> {
      const { used, resetMs } = await this.#count(key)
      return { current: used, ttl: resetMs }
    }

    child(options: unknown): FastifyRateLimitStore {
      return new CounterStore(options as PolicyParams)
    }
  }
}
