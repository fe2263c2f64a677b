import { ApiError } from '../../errors.js'
import type { Client } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import { createCheck } from './check.js'
import { createForClients } from './for-clients.js'
import { createLogout } from './logout.js'
import { createRefresh } from './refresh.js'
import { revokedEvent } from './revoked-event.js'
import { createStart } from './start.js'
import { claimEnd, countLive, guessLive, listLive, lockUser, type SessionRow, updateAllEnded } from './store.js'
import { sweepSessions } from './sweep.js'
import type { SessionOwner, SessionsDeps } from './types.js'

export type { CheckedIdentity } from './check.js'
export type { RefreshTokenState } from './for-clients.js'
export type { LogoutRequest, LogoutScope } from './logout.js'
export type { RefreshedSession } from './refresh.js'
export type { SessionRow } from './store.js'
export type { SessionOwner, StartedSession } from './types.js'
export type Sessions = ReturnType<typeof createSessions>

/** Fewer than this are counted, more are guessed. */
const COUNTED = 10_000

/** Sessions from login to their end. What takes a `tx` joins the caller's transaction. */
export function createSessions(deps: SessionsDeps) {
  const { db, events, limits } = deps
  const { check, stats: checkStats, close } = createCheck(db)

  return {
    ...createForClients(deps),
    start: createStart(deps),
    refresh: createRefresh(deps),
    logout: createLogout(deps),
    check,
    checkStats,

    /** Live ones, newest first. */
    list: (userId: string): Promise<SessionRow[]> => listLive(db, userId, limits),

    /** How many live, of all users: exact while they are few, else within what PostgreSQL's statistics say. */
    async estimateLive(): Promise<number> {
      const guess = await guessLive(db, limits)
      return guess < COUNTED ? await countLive(db, limits) : guess
    },

    /** Ends one of the user's own. Throws `not_found` for one that is unknown, another's, or over. */
    async revoke(client: Client, owner: SessionOwner): Promise<void> {
      await db.transaction(async (tx) => {
        if (!(await claimEnd(tx, owner, limits))) throw new ApiError('not_found')
        await events.record(tx, client, revokedEvent(owner, { by: 'user' }))
      })
    },

    /**
     * Ends all of a user, in the caller's transaction, which has locked no session yet: the user's row is locked
     * first. Returns how many lived. The caller records why.
     */
    async endAll(tx: Db, userId: string): Promise<number> {
      await lockUser(tx, userId)
      return await updateAllEnded(tx, { userId }, limits)
    },

    /** Ends one, in the caller's transaction. False where there is none that lives. The caller records why. */
    endOne: (tx: Db, owner: Pick<SessionOwner, 'userId' | 'sessionId'>): Promise<boolean> =>
      claimEnd(tx, owner, limits),

    /** Deletes what has been over for a day; returns how many. */
    sweep: (): Promise<number> => sweepSessions(db),

    close
  }
}
