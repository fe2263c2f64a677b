import { ApiError } from '../../errors.js'
import type { Client, FailureReason } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import { endReused } from './reuse.js'
import type { SessionState } from './rows.js'
import { findOwner, findSessionForUpdate, lockUser, updateAllEnded, updateEnded } from './store.js'
import type { SessionLimits, SessionOwner, SessionsDeps } from './types.js'
import { judge } from './verdict.js'

export type LogoutScope = 'session' | 'all' | 'others'

export interface LogoutRequest {
  scope?: LogoutScope | undefined
  /** From a bearer whose signature and claims are good; whether its session lives is judged here. */
  bearer?: { userId: string; sessionId: string } | undefined
  /** Asked only where there is no bearer. */
  refreshToken?: string | undefined
}

/** What was presented: `counter` only of a refresh token. */
interface Presented {
  sessionId: string
  userId?: string
  counter?: number
}

type Standing = 'live' | 'over' | 'ahead' | 'reused'

/**
 * Ends this session, all of its user, or all others, with one event. By a token of a session that is over nothing
 * happens, so that a repeated logout, or a stolen old token, ends nothing else. Throws `missing_token`,
 * `invalid_refresh_token`, or `refresh_token_reused` after the session was ended for it.
 */
export function createLogout({ db, events, refreshTokens, limits }: SessionsDeps) {
  function read({ bearer, refreshToken }: LogoutRequest): Presented {
    if (bearer !== undefined) return { sessionId: bearer.sessionId, userId: bearer.userId }
    if (refreshToken === undefined) throw new ApiError('missing_token')
    const content = refreshTokens.read(refreshToken)
    if (content === 'malformed') throw refused('refresh_malformed')
    if (content === 'forged') throw refused('refresh_forged')
    return content
  }

  /** Returns false when reuse ended the session: that has to be committed before it is answered. */
  async function logout(tx: Db, client: Client, scope: LogoutScope, presented: Presented): Promise<boolean> {
    const { sessionId, counter } = presented
    const userId = presented.userId ?? (await findOwner(tx, sessionId))
    if (userId === undefined) return true
    if (scope !== 'session') await lockUser(tx, userId)
    const session = await findSessionForUpdate(tx, sessionId, limits)
    if (session?.userId !== userId) return true
    const owner = { userId, email: session.email, sessionId }
    const standing = standingOf(session, counter, limits)
    if (standing === 'ahead') throw refused('refresh_forged', owner)
    if (standing === 'reused') {
      await endReused(tx, events, client, owner)
      return false
    }
    if (standing === 'over') return true
    const ended = await endScope(tx, scope, owner, limits)
    await events.record(tx, client, {
      type: 'logout',
      success: true,
      ...owner,
      details: { scope, sessions_ended: ended }
    })
    return true
  }

  return async (client: Client, request: LogoutRequest): Promise<void> => {
    const presented = read(request)
    const isGenuine = await db.transaction((tx) => logout(tx, client, request.scope ?? 'session', presented))
    if (!isGenuine) throw new ApiError('refresh_token_reused')
  }
}

function standingOf(session: SessionState, counter: number | undefined, limits: SessionLimits): Standing {
  if (session.isEnded || session.isExpired) return 'over'
  if (counter === undefined) return 'live'
  const verdict = judge(session, counter, limits)
  if (verdict === 'ahead' || verdict === 'reused') return verdict
  return verdict === 'expired' ? 'over' : 'live'
}

/** Returns how many ended. */
async function endScope(tx: Db, scope: LogoutScope, owner: SessionOwner, limits: SessionLimits): Promise<number> {
  const { userId, sessionId } = owner
  const others = scope === 'session' ? 0 : await updateAllEnded(tx, { userId, except: sessionId }, limits)
  if (scope === 'others') return others
  await updateEnded(tx, sessionId)
  return others + 1
}

/** Nobody limits logouts, so this has to be an event whose repeats are counted and not written one by one. */
function refused(reason: FailureReason, owner: Partial<SessionOwner> = {}): ApiError {
  return new ApiError('invalid_refresh_token', { audit: { type: 'token_rejected', success: false, reason, ...owner } })
}
