import type { Client } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import { RULES } from './rules.js'
import { type CountRow, deleteCounts, findUserId, listCounts } from './store.js'

export interface Overview {
  counts: CountRow[]
  /** How many there are, listed or not. */
  total: number
}

/** What an operator sees of the counts, and does about them. */
export function createOverview({ db, events }: { db: Db; events: Pick<Events, 'record'> }) {
  return {
    /** Counts that make somebody wait, the longest first, at most `limit`; with `all` every count. */
    list: (options: { all: boolean; limit: number }): Promise<Overview> => listCounts(db, RULES, options),

    /**
     * Lifts every wait of this canonical email and forgets its failures, with an event if there were any. Returns how many
     * counts that were. `client` is undefined when it was no request.
     */
    clear: (client: Client | undefined, email: string): Promise<number> =>
      db.transaction(async (tx) => {
        const counts = await deleteCounts(tx, email)
        if (counts === 0) return 0
        const userId = await findUserId(tx, email)
        const about = { email, ...(userId !== undefined && { userId }) }
        await events.record(tx, client, { type: 'throttle_cleared', success: true, ...about, details: { counts } })
        return counts
      })
  }
}
