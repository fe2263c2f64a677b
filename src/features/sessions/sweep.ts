import { sweepInBites } from '../../lib/sweeper.js'
import type { Db } from '../../plugins/database/index.js'
import { deleteOver } from './store.js'

/** For so long it can still be told from an event whose session it was. A token of a swept one is refused alike. */
const KEEP_SECONDS = 86_400

export const SWEEP_EVERY_MS = 10 * 60_000

/**
 * Deletes sessions that have been over for a day, in bites that wait for no lock. Several instances may sweep at once.
 * Returns how many went.
 */
export async function sweepSessions(db: Db, shouldStop?: () => boolean): Promise<number> {
  let swept = 0
  for (const cause of ['ended', 'expired'] as const) {
    swept += await sweepInBites((limit) => deleteOver(db, cause, { keepSeconds: KEEP_SECONDS, limit }), shouldStop)
  }
  return swept
}
