import { randomBytes } from 'node:crypto'
import { adviseCost, type CostAdvice } from '../../lib/bcrypt-cost.js'
import { bcryptDigest, newSalt } from '../../lib/bcrypt-sha256.js'
import { type Finding, ok, warn } from './finding.js'

const CHECK = 'bcrypt'
/** Steps of the cost that a measurement on a busy machine can be off. */
const TOLERANCE = 1

const MOST_SAMPLES = 5
const ENOUGH_MS = 1500

/** Measures one hash at the configured cost on this machine. */
export async function checkHashing({ bcryptCost: cost }: { bcryptCost: number }): Promise<Finding> {
  const ms = await measure(cost)
  return judge(cost, ms, adviseCost(cost, ms))
}

/** The quickest of a few: what else runs here makes one slower, never quicker. */
async function measure(cost: number): Promise<number> {
  const samples: number[] = []
  const startedAt = performance.now()
  while (samples.length < 2 || (samples.length < MOST_SAMPLES && performance.now() - startedAt < ENOUGH_MS)) {
    samples.push(await timed(cost))
  }
  return Math.max(0.01, Math.min(...samples))
}

/** The time of a core, in which the waiting for one does not count. */
async function timed(cost: number): Promise<number> {
  const password = randomBytes(16)
  const before = process.cpuUsage()
  await bcryptDigest(password, cost, newSalt())
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const round = (ms: number): string => (ms < 10 ? ms.toFixed(1) : String(Math.round(ms)))

export function judge(cost: number, ms: number, best: CostAdvice): Finding {
  const found = `one hash at cost ${cost} takes ${round(ms)} ms of a core of this machine`
  if (best.cost === cost) return ok(CHECK, found)
  const other = `cost ${best.cost} would take about ${round(best.ms)} ms`
  if (Math.abs(best.cost - cost) <= TOLERANCE) return ok(CHECK, `${found}; ${other}`)
  const reason = best.cost > cost ? 'cheap for whoever has stolen the hashes' : 'few logins a second'
  return warn(CHECK, `${found}: ${reason}`, `set BCRYPT_COST=${best.cost}: about ${round(best.ms)} ms`)
}
