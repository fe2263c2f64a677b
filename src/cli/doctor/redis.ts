import type { Config } from '../../config.js'
import { parseRedisUrl } from '../../lib/redis-url.js'
import { type Finding, fail, ok } from './finding.js'

const CHECK = 'redis'
const QUIET = { info: () => undefined, warn: () => undefined }

/** Whether the Redis of the rate limits does what an attempt needs, in the time that an attempt has. */
export async function checkRedis({ redisUrl }: Config): Promise<Finding> {
  if (redisUrl === undefined) return ok(CHECK, 'REDIS_URL is not set: each instance counts its rate limits for itself')
  const { REDIS_TIMING, RedisCounts } = await import('../../plugins/rate-limit/redis/redis-counts.js')
  const counts = new RedisCounts(parseRedisUrl(redisUrl), QUIET, REDIS_TIMING)
  await counts.start()
  const { mode } = counts
  const found = `rate limits would be ${counts.describe()}`
  counts.stop()
  if (mode === 'shared') return ok(CHECK, found)
  return fail(CHECK, found, 'check REDIS_URL, and the rights of its user: docs/operations.md')
}
