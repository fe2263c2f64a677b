import type { JWT } from '@fastify/jwt'
import { v4 as uuidv4 } from 'uuid'
import { ApiError } from '../../errors.js'
import type { AuditEvent, FailureReason } from '../../events.js'
import type { Clock } from '../clock.js'
import { claimsFault, type Expected, headerFault, isExpired, parseToken, TOKEN_TYPE } from './checks.js'
import type { AccessClaims, AccessTokenSubject, AccessTokens, TokenKey, TokenKeys } from './types.js'

interface Deps {
  jwt: JWT
  keys: TokenKeys
  clock: Clock
  issuer: string
  audience: string
  ttlSeconds: number
}

interface Verified {
  claims: AccessClaims
  exp: number
  key: TokenKey
}

/** Tokens whose signature is remembered. The oldest makes room. */
const MAX_REMEMBERED = 10_000

/** Synchronous cryptography alone: libuv's pool is busy with password hashes. */
export function createAccessTokens({ jwt, keys, clock, issuer, audience, ttlSeconds }: Deps): AccessTokens {
  // Keyed by every byte of the token, so that nothing altered is ever found. Saves the signature, nothing else.
  const remembered = new Map<string, Verified>()

  const expected = (): Expected => ({ issuer, audience, ttlSeconds, now: clock.now() / 1000 })

  async function recall(token: string, found: Verified): Promise<AccessClaims | undefined> {
    const current = await keys.find(found.key.kid)
    if (current === found.key && !isExpired(found.exp, clock.now() / 1000)) return found.claims
    remembered.delete(token)
    return undefined
  }

  function remember(token: string, verified: Verified): AccessClaims {
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string)
    remembered.set(token, verified)
    return verified.claims
  }

  function signatureIsGood(token: string, key: TokenKey): boolean {
    try {
      const options = { algorithms: [key.algorithm], ignoreExpiration: true, ignoreNotBefore: true }
      jwt.verify(token, { key: key.verifyWith, ...options })
      return true
    } catch {
      return false
    }
  }

  return {
    issue({ userId, email, sessionId, sessionExpiresAt }: AccessTokenSubject) {
      const key = keys.current()
      const iat = Math.floor(clock.now() / 1000)
      const exp = Math.min(iat + ttlSeconds, Math.floor(sessionExpiresAt.getTime() / 1000))
      const ids = { user_id: userId, email, sub: userId, sid: sessionId, jti: uuidv4() }
      const options = { algorithm: key.algorithm, kid: key.kid, header: { alg: key.algorithm, typ: TOKEN_TYPE } }
      const token = jwt.sign({ ...ids, iat, exp, iss: issuer, aud: audience }, { key: key.signWith, ...options })
      return { token, expiresIn: Math.max(0, exp - iat) }
    },

    async check(token: string): Promise<AccessClaims> {
      const found = remembered.get(token)
      const recalled = found && (await recall(token, found))
      if (recalled !== undefined) return recalled

      const parts = parseToken(token)
      if (parts === undefined) throw rejected('token_malformed')
      const fault = headerFault(parts.header, expected())
      if (fault !== undefined) throw rejected(fault)
      const key = await keys.find(parts.header.kid as string)
      if (key === undefined) throw rejected('unknown_key')
      // The key decides the algorithm, never the header (RFC 8725, 3.1).
      if (parts.header.alg !== key.algorithm) throw rejected('wrong_algorithm')
      if (!signatureIsGood(token, key)) throw rejected('bad_signature')
      const reason = claimsFault(parts.payload, expected())
      if (reason !== undefined) throw rejected(reason, subjectOf(parts.payload))
      return remember(token, { claims: toClaims(parts.payload), exp: parts.payload.exp as number, key })
    }
  }
}

function rejected(reason: FailureReason, subject: Partial<AuditEvent> = {}): ApiError {
  const code = reason === 'token_expired' ? 'token_expired' : 'invalid_token'
  return new ApiError(code, { audit: { type: 'token_rejected', success: false, reason, ...subject } })
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** We signed it, so it says whose it was; a token under another key says nothing. */
function subjectOf({ user_id, email, sid }: Record<string, unknown>): Partial<AuditEvent> {
  return {
    ...(typeof user_id === 'string' && UUID.test(user_id) && { userId: user_id }),
    ...(typeof email === 'string' && { email }),
    ...(typeof sid === 'string' && UUID.test(sid) && { sessionId: sid })
  }
}

function toClaims(payload: Record<string, unknown>): AccessClaims {
  const { user_id, email, sid, jti, iat, exp } = payload as Record<string, string> & { iat: unknown; exp: unknown }
  return {
    userId: user_id as string,
    email: email as string,
    sessionId: sid as string,
    tokenId: jti as string,
    issuedAt: new Date(Number(iat) * 1000),
    expiresAt: new Date(Number(exp) * 1000)
  }
}
