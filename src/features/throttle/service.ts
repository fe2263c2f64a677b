import { ApiError } from '../../errors.js'
import type { Client } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import { createOverview } from './overview.js'
import { RULES } from './rules.js'
import {
  type CountKey,
  claimAttempt,
  deleteCount,
  deleteCounts,
  findWait,
  insertKnownAddress,
  updateGivenBack
} from './store.js'

export type { Overview } from './overview.js'

/** To be called in the transaction that lets the user in. */
export type Succeeded = (tx: Db, userId: string) => Promise<void>

export type Throttle = ReturnType<typeof createThrottle>

/** What a password check throws before any hash was begun. */
const NOT_HASHED: ReadonlySet<string> = new Set(['overloaded', 'request_timeout'])

/** Failed attempts for each account, counted by the database for all instances together. */
export function createThrottle({ db, events }: { db: Db; events: Pick<Events, 'record'> }) {
  /** The count may have been reset since the claim failed: then it is worth trying again at once. */
  async function refusal(key: CountKey): Promise<ApiError> {
    const { waitSeconds, userId } = await findWait(db, key, RULES)
    return new ApiError('account_throttled', {
      retryAfterSeconds: Math.max(1, waitSeconds ?? 1),
      audit: {
        type: 'account_throttled',
        success: false,
        reason: 'account_throttled',
        email: key.email,
        ...(userId && { userId })
      }
    })
  }

  return {
    /**
     * The one way to check a password, whatever asks for it. `email` is canonical and need not be an account's. The attempt is
     * a failure from before `check` runs, so that parallel guesses find it counted; it stays one unless `check` calls
     * `succeeded`, or throws before it has begun a hash. Throws `account_throttled`, and then nothing was checked.
     */
    async attempt<T>({ addressKey }: Client, email: string, check: (succeeded: Succeeded) => Promise<T>): Promise<T> {
      const key = { email, addressKey }
      const claimed = await claimAttempt(db, key, RULES)
      if (claimed === undefined) throw await refusal(key)
      try {
        return await check(async (tx, userId) => {
          await deleteCount(tx, claimed)
          await insertKnownAddress(tx, userId, addressKey)
        })
      } catch (error) {
        if (error instanceof ApiError && NOT_HASHED.has(error.code)) await updateGivenBack(db, claimed)
        throw error
      }
    },

    /** For the transaction that makes an account: its first address is known, and guesses at nobody are forgotten. */
    async signedUp(
      tx: Db,
      { addressKey }: Client,
      { userId, email }: { userId: string; email: string }
    ): Promise<void> {
      await deleteCounts(tx, email)
      await insertKnownAddress(tx, userId, addressKey)
    },

    ...createOverview({ db, events })
  }
}
