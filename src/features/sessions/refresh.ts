import { ApiError, unavailable } from '../../errors.js'
import type { AuditEvent, Client, FailureReason } from '../../events.js'
import type { RefreshTokenContent } from '../../lib/refresh-token.js'
import type { Db } from '../../plugins/database/index.js'
import { endReused } from './reuse.js'
import type { Rotated, SessionState } from './rows.js'
import { claimRotation, findSessionForUpdate } from './store.js'
import type { SessionOwner, SessionsDeps, StartedSession } from './types.js'
import { judge, type Verdict } from './verdict.js'

export interface RefreshedSession {
  user: { id: string; email: string }
  session: StartedSession
}

/** Why a verdict is a refusal that leaves the session as it was. */
const REASONS: Partial<Record<Verdict, FailureReason>> = {
  over: 'session_ended',
  expired: 'refresh_expired',
  inactive: 'inactive_account',
  ahead: 'refresh_forged'
}

/**
 * The exchange of a refresh token. Throws `invalid_refresh_token` for whatever cause, `refresh_token_reused` after the
 * session was ended for it, or `unavailable`. Its event is in the same transaction: without it nothing has happened.
 */
export function createRefresh({ db, events, accessTokens, refreshTokens, limits }: SessionsDeps) {
  function read(token: string): RefreshTokenContent {
    const content = refreshTokens.read(token)
    if (content === 'malformed') throw refused('refresh_malformed')
    if (content === 'forged') throw refused('refresh_forged')
    return content
  }

  /** Returns undefined when reuse ended the session: that has to be committed before it is answered. */
  async function exchange(tx: Db, client: Client, presented: RefreshTokenContent): Promise<Rotated | undefined> {
    const rotated = await claimRotation(tx, { ...presented, keyId: refreshTokens.keyId, ...limits })
    if (rotated !== undefined) {
      await events.record(tx, client, succeeded(ownerOf(presented, rotated)))
      return rotated
    }
    const session = await findSessionForUpdate(tx, presented.sessionId, limits)
    if (session === undefined) throw refused('session_ended', { sessionId: presented.sessionId })
    return await answerUnmoved(tx, client, session, presented)
  }

  async function answerUnmoved(
    tx: Db,
    client: Client,
    session: SessionState,
    presented: RefreshTokenContent
  ): Promise<Rotated | undefined> {
    const verdict = judge(session, presented.counter, limits)
    const owner = ownerOf(presented, session)
    const reason = REASONS[verdict]
    if (reason !== undefined) throw refused(reason, owner)
    if (verdict === 'reused') {
      await endReused(tx, events, client, owner)
      return undefined
    }
    // The newest token of a live session, yet no rotation: its user was switched on between the two statements.
    if (verdict === 'current') throw unavailable()
    await events.record(tx, client, { ...succeeded(owner), details: { repeat: true } })
    return session
  }

  return async (client: Client, token: string): Promise<RefreshedSession> => {
    const presented = read(token)
    const session = await db.transaction((tx) => exchange(tx, client, presented))
    if (session === undefined) throw new ApiError('refresh_token_reused')
    const { userId, email, counter, keyId, expiresAt, refreshExpiresIn } = session
    const { sessionId } = presented
    const access = await accessTokens.issue({ userId, email, sessionId, sessionExpiresAt: expiresAt })
    const refreshToken = refreshTokens.issue({ sessionId, counter }, keyId)
    return { user: { id: userId, email }, session: { sessionId, ...access, refreshToken, refreshExpiresIn } }
  }
}

function ownerOf({ sessionId }: RefreshTokenContent, { userId, email }: Rotated): SessionOwner {
  return { userId, email, sessionId }
}

function succeeded(owner: SessionOwner): AuditEvent {
  return { type: 'refresh', success: true, ...owner }
}

function refused(reason: FailureReason, owner: Partial<SessionOwner> = {}): ApiError {
  return new ApiError('invalid_refresh_token', { audit: { type: 'refresh', success: false, reason, ...owner } })
}
