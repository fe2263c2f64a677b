import { v4 as uuidv4 } from 'uuid'
import { ApiError } from '../../errors.js'
import type { AuditEvent, FailureReason } from '../../events.js'
import type { Clock } from '../clock.js'
import { claimsFault, type Expected, headerFault, parseToken } from './checks.js'
import { createSignatures } from './signatures.js'
import type { AccessClaims, AccessTokenSubject, AccessTokens, TokenKey, TokenKeys } from './types.js'

interface Deps {
  keys: TokenKeys
  clock: Clock
  issuer: string
  audience: string
  ttlSeconds: number
}

/** A token whose signature is good; what it says is judged at each check, since time goes on. */
interface Verified {
  payload: Record<string, unknown>
  key: TokenKey
}

/** Tokens whose signature is remembered. The oldest makes room. */
const MAX_REMEMBERED = 10_000

/** Synchronous cryptography alone: libuv's pool is busy with password hashes. */
export function createAccessTokens({ keys, clock, issuer, audience, ttlSeconds }: Deps): AccessTokens {
  const signatures = createSignatures()
  // Keyed by every byte of the token, so that nothing altered is ever found. Saves the signature, nothing else.
  const remembered = new Map<string, Verified>()

  const expected = (): Expected => ({ issuer, audience, ttlSeconds, now: clock.now() / 1000 })

  /** Its key is looked for again: a revoked one is not found. */
  async function recall(token: string): Promise<Verified | undefined> {
    const verified = remembered.get(token)
    return verified && (await keys.find(verified.key.kid)) === verified.key ? verified : undefined
  }

  function remember(token: string, verified: Verified): void {
    if (remembered.has(token)) return
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string)
    remembered.set(token, verified)
  }

  async function verify(token: string): Promise<Verified> {
    const parts = parseToken(token)
    if (parts === undefined) throw rejected('token_malformed')
    const fault = headerFault(parts.header)
    if (fault !== undefined) throw rejected(fault)
    const key = await keys.find(parts.header.kid as string)
    if (key === undefined) throw rejected('unknown_key')
    // The key decides the algorithm, never the header (RFC 8725, 3.1).
    if (parts.header.alg !== key.algorithm) throw rejected('wrong_algorithm')
    if (!(await signatures.isGood(token, key))) throw rejected('bad_signature')
    return { payload: parts.payload, key }
  }

  return {
    async issue({ userId, email, sessionId, sessionExpiresAt }: AccessTokenSubject) {
      const key = keys.current()
      const iat = Math.floor(clock.now() / 1000)
      const exp = Math.min(iat + ttlSeconds, Math.floor(sessionExpiresAt.getTime() / 1000))
      const ids = { user_id: userId, email, sub: userId, sid: sessionId, jti: uuidv4() }
      const token = await signatures.sign({ ...ids, iat, exp, iss: issuer, aud: audience }, key)
      return { token, expiresIn: Math.max(0, exp - iat) }
    },

    async check(token: string): Promise<AccessClaims> {
      const verified = (await recall(token)) ?? (await verify(token))
      const reason = claimsFault(verified.payload, expected())
      if (reason === undefined) remember(token, verified)
      else remembered.delete(token)
      if (reason !== undefined) throw rejected(reason, subjectOf(verified.payload))
      return toClaims(verified.payload)
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
