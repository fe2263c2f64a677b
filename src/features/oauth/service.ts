import { ApiError } from '../../errors.js'
import type { Client } from '../../events.js'
import type { AccessClaims, AccessTokens } from '../../plugins/jwt/types.js'
import type { RefreshTokenState, Sessions } from '../sessions/service.js'
import type { Introspection } from './schemas.js'

export type OAuth = ReturnType<typeof createOAuth>

interface OAuthDeps {
  accessTokens: AccessTokens
  sessions: Sessions
  issuer: string
  audience: string
}

const INACTIVE: Introspection = { active: false }

/**
 * Introspection (RFC 7662) and revocation (RFC 7009) for a client that has authenticated. Which kind a token is shows
 * in its form, so the hint is not needed. Both throw `unavailable` rather than call a good token bad.
 */
export function createOAuth({ accessTokens, sessions, issuer, audience }: OAuthDeps) {
  return {
    async introspect(token: string): Promise<Introspection> {
      const refresh = await sessions.inspectRefreshToken(token)
      if (refresh !== undefined) return presentRefresh(refresh, issuer)
      return (
        (await ifGood(async () => {
          const claims = await accessTokens.check(token)
          const { email } = await sessions.check(claims)
          return presentAccess(claims, email, { issuer, audience })
        })) ?? INACTIVE
      )
    },

    /** Ends the session of the token. What is unknown or over already is no error (RFC 7009, section 2.2). */
    async revoke(client: Client, clientId: string, token: string): Promise<void> {
      const sessionId =
        sessions.sessionOfRefreshToken(token) ?? (await ifGood(() => accessTokens.check(token)))?.sessionId
      if (sessionId !== undefined) await sessions.revokeForClient(client, clientId, sessionId)
    }
  }
}

/** Undefined for what no request would be answered by. No event: nobody was let in, and nobody refused. */
async function ifGood<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return undefined
    throw error
  }
}

function presentAccess(
  claims: AccessClaims,
  email: string,
  { issuer, audience }: { issuer: string; audience: string }
): Introspection {
  return {
    active: true,
    token_use: 'access_token',
    token_type: 'Bearer',
    sub: claims.userId,
    sid: claims.sessionId,
    username: email,
    iss: issuer,
    aud: audience,
    jti: claims.tokenId,
    iat: toSeconds(claims.issuedAt),
    exp: toSeconds(claims.expiresAt)
  }
}

function presentRefresh({ owner, issuedAt, expiresAt }: RefreshTokenState, issuer: string): Introspection {
  return {
    active: true,
    token_use: 'refresh_token',
    sub: owner.userId,
    sid: owner.sessionId,
    username: owner.email,
    iss: issuer,
    iat: toSeconds(issuedAt),
    exp: toSeconds(expiresAt)
  }
}

function toSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}
