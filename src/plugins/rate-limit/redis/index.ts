import type { FastifyInstance } from 'fastify'
import { parseRedisUrl } from '../../../lib/redis-url.js'
import type { Counter } from '../memory-counter.js'
import { sharedCounter } from '../shared-counter.js'
import { REDIS_TIMING, RedisCounts, type RedisTiming } from './redis-counts.js'

/**
 * Counters that instances share through the Redis at that URL, and what tells how that goes. The start waits until it is
 * known whether Redis is there, for about a second at the most, and goes on either way.
 */
export function countInRedis(app: FastifyInstance, redisUrl: string, timing: Partial<RedisTiming> = {}) {
  const counts = new RedisCounts(parseRedisUrl(redisUrl), app.log, { ...REDIS_TIMING, ...timing })
  app.addHook('onReady', () => counts.start())
  app.addHook('onClose', async () => counts.stop())
  return {
    factory: ({ name, windowMs }: { name: string; windowMs: number }): Counter =>
      sharedCounter({ name, windowMs, now: () => app.clock.now() }, (attempt) => counts.count(attempt)),
    limiter: { mode: () => counts.mode, changes: () => counts.changes, describe: () => counts.describe() }
  }
}
