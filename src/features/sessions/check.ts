import DataLoader from 'dataloader'
import { ApiError } from '../../errors.js'
import type { Db } from '../../plugins/database/index.js'
import type { AccessClaims } from '../../plugins/jwt/types.js'
import { createLastSeen, STALE_SECONDS } from './last-seen.js'
import type { CheckedSession } from './rows.js'
import { prepareFindChecked } from './store.js'

const MAX_BATCH = 500

/** Who stands behind a good access token, as the database has it at this moment. */
export interface CheckedIdentity {
  userId: string
  email: string
  role: 'user' | 'admin'
}

/**
 * The check that follows every check of an access token: does its session live, and is its user active? What arrives
 * in one turn of the event loop shares one query. A batch is closed before its query is sent and nothing is
 * cached, so after the 200 of a logout no check is answered by what was read before.
 */
export function createCheck(db: Db) {
  const find = prepareFindChecked(db, STALE_SECONDS)
  const lastSeen = createLastSeen(db)
  const counts = { checks: 0, queries: 0, live: 0, ended: 0, failed: 0 }

  async function load(ids: readonly string[]): Promise<(CheckedSession | undefined)[]> {
    counts.queries += 1
    try {
      const rows = await find.execute({ ids: `{${ids.join(',')}}` })
      const found = new Map(rows.map((row) => [row.id, row]))
      return ids.map((id) => found.get(id))
    } catch (error) {
      counts.failed += ids.length
      throw error
    }
  }

  const loader = new DataLoader(load, {
    cache: false,
    maxBatchSize: MAX_BATCH,
    batchScheduleFn: (send) => void setImmediate(send)
  })

  return {
    /** Throws `session_ended` with its event, or `unavailable`. The ids in the claims are UUIDs. */
    async check(claims: AccessClaims): Promise<CheckedIdentity> {
      counts.checks += 1
      const session = await loader.load(claims.sessionId)
      // Whoever shares JWT_SECRET could pair a session with somebody else's name.
      if (session?.userId !== claims.userId) {
        counts.ended += 1
        throw sessionEnded(claims)
      }
      counts.live += 1
      if (session.isStale) lastSeen.note(session.id)
      return { userId: session.userId, email: session.email, role: session.role }
    },

    /** How many checks there were, how many queries they took, and how they ended. */
    stats: () => ({ ...counts }),

    /** Nothing is noted any more. */
    close: lastSeen.close
  }
}

function sessionEnded({ userId, email, sessionId }: AccessClaims): ApiError {
  return new ApiError('session_ended', {
    audit: { type: 'token_rejected', success: false, reason: 'session_ended', userId, email, sessionId }
  })
}
