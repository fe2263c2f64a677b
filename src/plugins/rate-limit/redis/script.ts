import { createHash } from 'node:crypto'
import type { Count } from '../memory-counter.js'
import type { Attempt } from '../shared-counter.js'
import { type Connection, RedisFault } from './connection.js'
import type { Reply } from './resp.js'

/**
 * One attempt as one atomic step, by the server's clock. A command that was given up may still lie in the server's
 * buffer, and be run when it comes to itself: after its time (`notAfter`) it changes nothing. A count without an end,
 * or with one beyond the window (the clock was set back, the setting was changed), ends after one window.
 */
const SCRIPT = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local window, known, missed, reset, notAfter =
  tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if notAfter > 0 and now > notAfter then return {now} end
local used, left = 0, redis.call('PTTL', KEYS[1])
if left == -2 or left == 0 then
  left = reset
else
  used = tonumber(redis.call('GET', KEYS[1])) or 0
  if left < 0 or left > window then left = window end
end
used = math.max(used + missed, known) + 1
redis.call('SET', KEYS[1], used, 'PX', left)
return {now, used, left}`

const SHA1 = createHash('sha1').update(SCRIPT).digest('hex')

export interface Counted {
  /** Milliseconds since the Unix epoch, by the server's clock. */
  serverMs: number
  count: Count
}

/** `notAfterMs` is by the server's clock; 0: at any time. Rejects with RedisFault. */
export async function countOnServer(
  connection: Connection,
  attempt: Attempt,
  notAfterMs: number,
  deadlineAt: number
): Promise<Counted> {
  const { key, windowMs, known, missed, resetMs } = attempt
  const rest = [1, `postern:${key}`, windowMs, known, missed, Math.ceil(resetMs), notAfterMs] as const
  try {
    return read(await connection.call(['EVALSHA', SHA1, ...rest], deadlineAt), attempt)
  } catch (error) {
    if (!(error instanceof RedisFault) || error.reason !== 'EVALSHA answered NOSCRIPT') throw error
    return read(await connection.call(['EVAL', SCRIPT, ...rest], deadlineAt), attempt)
  }
}

/** What the script could not have answered is no count: a limit does not rest on a server's word alone. */
function read(reply: Reply, { known, windowMs }: Attempt): Counted {
  const [serverMs, used, resetMs, ...more] = Array.isArray(reply) ? reply : []
  if (isNumber(serverMs) && used === undefined) throw new RedisFault('was reached too late')
  const isCount = isNumber(serverMs) && isNumber(used) && isNumber(resetMs) && more.length === 0
  if (!isCount || used <= known || resetMs <= 0 || resetMs > windowMs) {
    throw new RedisFault('answered something else than a count')
  }
  return { serverMs, count: { used, resetMs } }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}
