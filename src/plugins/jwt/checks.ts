import type { FailureReason } from '../../events.js'
import { decodeBase64url } from '../../lib/base64url.js'
import { LEEWAY_SECONDS } from '../../lib/token-leeway.js'
import { parseUniqueJson } from '../../lib/unique-json.js'

/** Longer ones are refused unread. */
export const MAX_TOKEN_BYTES = 8192
export const TOKEN_TYPE = 'at+jwt'

type Json = Record<string, unknown>

export interface Expected {
  issuer: string
  audience: string
  ttlSeconds: number
  /** Seconds since the epoch. */
  now: number
}

export interface Parts {
  header: Json
  payload: Json
}

/** A step finds nothing wrong, or says what. */
type Step<T> = (subject: T, expected: Expected) => FailureReason | undefined

function firstFault<T>(steps: Step<T>[], subject: T, expected: Expected): FailureReason | undefined {
  for (const step of steps) {
    const reason = step(subject, expected)
    if (reason !== undefined) return reason
  }
  return undefined
}

/** RFC 7515, compact serialization: three parts of strict base64url, two of them JSON objects without double members. */
export function parseToken(token: string): Parts | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined
  const [header, payload, signature] = token.split('.').map(decodeBase64url)
  if (!header || !payload || !signature || token.split('.').length !== 3) return undefined
  const parts = { header: parseUniqueJson(header), payload: parseUniqueJson(payload) }
  return parts.header && parts.payload ? (parts as Parts) : undefined
}

/** Members that would change how the token is read, or bring a key with it (RFC 8725, 3.10; RFC 7797). */
const FORBIDDEN_MEMBERS = ['crit', 'b64', 'zip', 'jku', 'jwk', 'x5u', 'x5c', 'cty', 'enc', 'epk']

const noForbiddenMember: Step<Json> = (header) =>
  FORBIDDEN_MEMBERS.some((member) => Object.hasOwn(header, member)) ? 'token_malformed' : undefined

/** RFC 9068, 2.1: another kind of token never passes for an access token. */
const isAccessToken: Step<Json> = ({ typ }) => (typ === TOKEN_TYPE ? undefined : 'wrong_type')

const namesItsKey: Step<Json> = ({ kid }) => (typeof kid === 'string' ? undefined : 'unknown_key')

/** What is judged before a key is looked for. */
export function headerFault(header: Json, expected: Expected): FailureReason | undefined {
  return firstFault([noForbiddenMember, isAccessToken, namesItsKey], header, expected)
}

const REQUIRED = ['user_id', 'email', 'iat', 'exp', 'sub', 'sid', 'jti', 'iss', 'aud']
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const isUuid = (value: unknown): boolean => typeof value === 'string' && UUID.test(value)
const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const hasAllClaims: Step<Json> = (claims) =>
  REQUIRED.every((claim) => Object.hasOwn(claims, claim) && claims[claim] !== null) ? undefined : 'missing_claim'

const hasRightIssuer: Step<Json> = ({ iss }, { issuer }) => (iss === issuer ? undefined : 'wrong_issuer')

const hasRightAudience: Step<Json> = ({ aud }, { audience }) => (aud === audience ? undefined : 'wrong_audience')

const hasTypedIds: Step<Json> = ({ user_id, sub, sid, jti, email }) => {
  const typed = isUuid(user_id) && isUuid(sid) && typeof jti === 'string' && jti !== '' && typeof email === 'string'
  return typed && sub === user_id ? undefined : 'invalid_claim'
}

const hasTypedTimes: Step<Json> = ({ iat, exp, nbf }) =>
  isTime(iat) && isTime(exp) && (nbf === undefined || isTime(nbf)) ? undefined : 'invalid_claim'

const isNotFromTheFuture: Step<Json> = ({ iat, nbf }, { now }) => {
  const latest = now + LEEWAY_SECONDS
  return Number(iat) > latest || (nbf !== undefined && Number(nbf) > latest) ? 'invalid_claim' : undefined
}

/** Nobody who signs for us makes a token that lives longer. */
const livesNoLonger: Step<Json> = ({ iat, exp }, { ttlSeconds }) => {
  const life = Number(exp) - Number(iat)
  return life < 0 || life > ttlSeconds + LEEWAY_SECONDS ? 'invalid_claim' : undefined
}

const hasNotExpired: Step<Json> = ({ exp }, { now }) => (isExpired(Number(exp), now) ? 'token_expired' : undefined)

/** Both in seconds since the epoch. */
export function isExpired(exp: number, now: number): boolean {
  return now >= exp + LEEWAY_SECONDS
}

/** What is judged once the signature is good. Expiry comes last: a token that was never good is not merely old. */
export function claimsFault(claims: Json, expected: Expected): FailureReason | undefined {
  const steps = [
    hasAllClaims,
    hasRightIssuer,
    hasRightAudience,
    hasTypedIds,
    hasTypedTimes,
    isNotFromTheFuture,
    livesNoLonger,
    hasNotExpired
  ]
  return firstFault(steps, claims, expected)
}
