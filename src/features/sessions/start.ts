import type { Client } from '../../events.js'
import { printable } from '../../lib/printable.js'
import type { Db } from '../../plugins/database/index.js'
import { revokedEvent } from './revoked-event.js'
import { insertSession, lockUser, updateOldestEnded } from './store.js'
import type { SessionsDeps, StartedSession } from './types.js'

/** Live sessions of one user. The oldest makes room. */
const MAX_SESSIONS = 100

/**
 * A new session under a new id, with its first tokens, in the caller's transaction. The user's row stays locked until
 * that ends, so that parallel logins never exceed the limit; each session that makes room is an event.
 */
export function createStart({ events, accessTokens, refreshTokens, limits }: SessionsDeps) {
  return async (tx: Db, client: Client, user: { userId: string; email: string }): Promise<StartedSession> => {
    const { userId, email } = user
    await lockUser(tx, userId)
    for (const sessionId of await updateOldestEnded(tx, userId, MAX_SESSIONS - 1, limits)) {
      await events.record(tx, client, revokedEvent({ ...user, sessionId }, { by: 'limit' }))
    }
    const { id, expiresAt, refreshExpiresIn } = await insertSession(tx, {
      ...limits,
      userId,
      keyId: refreshTokens.keyId,
      ipAddress: client.address,
      // The header comes from whoever sends it, and the list is read in terminals too.
      userAgent: client.userAgent ? printable(client.userAgent) : undefined
    })
    const access = await accessTokens.issue({ userId, email, sessionId: id, sessionExpiresAt: expiresAt })
    const refreshToken = refreshTokens.issue({ sessionId: id, counter: 0 })
    return { sessionId: id, ...access, refreshToken, refreshExpiresIn }
  }
}
