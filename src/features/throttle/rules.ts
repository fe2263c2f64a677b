import type { ThrottleRules } from './store.js'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Why these: docs/decisions/throttle.md. */
export const RULES: ThrottleRules = {
  limit: 10,
  firstWaitSeconds: 30,
  longestWaitSeconds: HOUR,
  forgetSeconds: DAY,
  knownSeconds: 30 * DAY
}
