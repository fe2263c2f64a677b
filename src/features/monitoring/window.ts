import { ApiError, type FieldFault } from '../../errors.js'
import { parseDuration } from '../../lib/duration.js'

const MINUTE = 60
const HOUR = 3600
const DAY = 86_400

const MOST_BUCKETS = 1000
/** Above it the trail itself is not read for statistics, and the sums by the hour know no minutes. */
const FINE_WINDOW = 2 * DAY

export interface StatsSpan {
  windowSeconds: number
  bucketSeconds: number
}

/** Throws `invalid_request`. */
export function readInsightWindow(window = '24h'): number {
  const seconds = secondsOf(window)
  if (seconds >= HOUR && seconds <= 30 * DAY) return seconds
  throw refused([fault('window', 'Send a duration from 1h to 30d.')])
}

/** Throws `invalid_request` with every parameter that is at fault. */
export function readStatsSpan(window = '24h', bucket?: string): StatsSpan {
  const windowSeconds = secondsOf(window)
  if (!(windowSeconds >= 5 * MINUTE && windowSeconds <= 90 * DAY)) {
    throw refused([fault('window', 'Send a duration from 5m to 90d.')])
  }
  const bucketSeconds = bucket === undefined ? bucketFor(windowSeconds) : secondsOf(bucket)
  const message = faultOf(bucketSeconds, windowSeconds)
  if (message !== undefined) throw refused([fault('bucket', message)])
  return { windowSeconds, bucketSeconds }
}

function faultOf(bucket: number, window: number): string | undefined {
  if (!(bucket >= MINUTE && bucket <= window)) return 'Send a duration from 1m to that of the window.'
  if (window / bucket > MOST_BUCKETS) return `There would be more than ${MOST_BUCKETS} buckets.`
  if (bucket > HOUR && bucket % HOUR !== 0) return 'Above an hour only whole hours are possible.'
  if (bucket < HOUR && window > FINE_WINDOW) return 'Below an hour the window is two days at most.'
  return undefined
}

function bucketFor(window: number): number {
  if (window < HOUR) return MINUTE
  if (window <= 6 * HOUR) return 5 * MINUTE
  return window <= 4 * DAY ? HOUR : DAY
}

/** NaN for what is no duration. */
function secondsOf(text: string): number {
  return (parseDuration(text) ?? Number.NaN) / 1000
}

function fault(field: string, message: string): FieldFault {
  return { field, code: 'invalid_value', message }
}

function refused(errors: FieldFault[]): ApiError {
  return new ApiError('invalid_request', { errors })
}
