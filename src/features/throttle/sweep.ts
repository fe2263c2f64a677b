import { sweepInBites } from '../../lib/sweeper.js'
import type { Db } from '../../plugins/database/index.js'
import { RULES } from './rules.js'
import { deleteForgotten, deleteUnknown } from './store.js'

export const SWEEP_EVERY_MS = 10 * 60_000

/**
 * Deletes counts and addresses that no statement heeds any more. Several instances may sweep at once. Returns how many
 * went.
 */
export async function sweepThrottle(db: Db, shouldStop?: () => boolean): Promise<number> {
  const counts = await sweepInBites((limit) => deleteForgotten(db, RULES, limit), shouldStop)
  return counts + (await sweepInBites((limit) => deleteUnknown(db, RULES, limit), shouldStop))
}
