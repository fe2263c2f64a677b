import type { Client } from '../../events.js'
import { revokedEvent } from './revoked-event.js'
import { findSession, findSessionForUpdate, updateEnded } from './store.js'
import type { SessionOwner, SessionsDeps } from './types.js'
import { judge } from './verdict.js'

/** A refresh token that would be exchanged now. */
export interface RefreshTokenState {
  owner: SessionOwner
  issuedAt: Date
  /** When it has rested for too long, or its session has come to its end. */
  expiresAt: Date
}

/** What introspection and revocation need to know and to do. */
export function createForClients({ db, events, refreshTokens, limits }: SessionsDeps) {
  return {
    /** Changes nothing. Undefined for what is not the newest refresh token of a live session of an active user. */
    async inspectRefreshToken(token: string): Promise<RefreshTokenState | undefined> {
      const content = refreshTokens.read(token)
      if (typeof content === 'string') return undefined
      const session = await findSession(db, content.sessionId, limits)
      if (session === undefined || judge(session, content.counter, limits) !== 'current') return undefined
      const { id: sessionId, userId, email, refreshedAt, expiresAt } = session
      const idleEnd = refreshedAt.getTime() + limits.refreshTtlSeconds * 1000
      return {
        owner: { userId, email, sessionId },
        issuedAt: refreshedAt,
        expiresAt: new Date(Math.min(idleEnd, expiresAt.getTime()))
      }
    },

    /** The session in a genuine refresh token, whatever its age. */
    sessionOfRefreshToken(token: string): string | undefined {
      const content = refreshTokens.read(token)
      return typeof content === 'string' ? undefined : content.sessionId
    },

    /** Ends the session, with its event. False, and no event, when it does not live. */
    async revokeForClient(client: Client, clientId: string, sessionId: string): Promise<boolean> {
      return await db.transaction(async (tx) => {
        const session = await findSessionForUpdate(tx, sessionId, limits)
        if (session === undefined || session.isEnded || session.isExpired) return false
        await updateEnded(tx, sessionId)
        const owner = { userId: session.userId, email: session.email, sessionId }
        await events.record(tx, client, revokedEvent(owner, { by: 'client', client_id: clientId }))
        return true
      })
    }
  }
}
