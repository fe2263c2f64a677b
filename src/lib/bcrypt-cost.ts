/** What a login may cost a person's patience and a server's core: long enough to hurt whoever guesses. */
const TARGET_MS = 250
const FLOOR = 10
const CEILING = 15

export interface CostAdvice {
  /** The cost whose hash takes nearest to 250 ms, from 10 to 15. */
  cost: number
  /** What it takes then. */
  ms: number
}

/** Each step of the cost doubles the time. `ms` is what one hash at `cost` took. */
export function adviseCost(cost: number, ms: number): CostAdvice {
  const nearest = cost + Math.round(Math.log2(TARGET_MS / ms))
  const advised = Math.min(CEILING, Math.max(FLOOR, nearest))
  return { cost: advised, ms: ms * 2 ** (advised - cost) }
}
