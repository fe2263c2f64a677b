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
type HeaderStep = (header: Json) => FailureReason | undefined
type ClaimsStep = (claims: Json, expected: Expected) => FailureReason | undefined

function firstFault(steps: ClaimsStep[], subject: Json, expected: Expected): FailureReason | undefined {
  for (const step of steps) {
    const reason = step(subject, expected)
    if (reason !== undefined) return reason
  }
  return undefined
}

/** RFC 7515, compact serialization: three parts of strict base64url, two of them JSON objects without double members. */
export function parseToken(token: string): Parts | undefined {
  if (token.length > MAX_TOKEN_BYTES) return undefined
  const parts = token.split('.')
  const [header, payload, signature] = parts.length === 3 ? parts.map(decodeBase64url) : []
  if (!header || !payload || !signature) return undefined
  const json = { header: parseUniqueJson(header), payload: parseUniqueJson(payload) }
  return json.header && json.payload ? (json as Parts) : undefined
}

/** Members that would change how the token is read, or bring a key with it (RFC 8725, 3.10; RFC 7797). */
const FORBIDDEN_MEMBERS = ['crit', 'b64', 'zip', 'jku', 'jwk', 'x5u', 'x5c', 'cty', 'enc', 'epk']

const noForbiddenMember: HeaderStep = (header) =>
  FORBIDDEN_MEMBERS.some((member) => Object.hasOwn(header, member)) ? 'token_malformed' : undefined

/** RFC 9068, 2.1: another kind of token never passes for an access token. */
const isAccessToken: HeaderStep = ({ typ }) => (typ === TOKEN_TYPE ? undefined : 'wrong_type')

const namesItsKey: HeaderStep = ({ kid }) => (typeof kid === 'string' ? undefined : 'unknown_key')

/** What is judged before a key is looked for. */
export function headerFault(header: Json): FailureReason | undefined {
  return noForbiddenMember(header) ?? isAccessToken(header) ?? namesItsKey(header)
}

const REQUIRED = ['user_id', 'email', 'iat', 'exp', 'sub', 'sid', 'jti', 'iss', 'aud']
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const isUuid = (value: unknown): boolean => typeof value === 'string' && UUID.test(value)
const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const hasAllClaims: ClaimsStep = (claims) =>
  REQUIRED.every((claim) => Object.hasOwn(claims, claim) && claims[claim] !== null) ? undefined : 'missing_claim'

const hasRightIssuer: ClaimsStep = ({ iss }, { issuer }) => (iss === issuer ? undefined : 'wrong_issuer')

const hasRightAudience: ClaimsStep = ({ aud }, { audience }) => (aud === audience ? undefined : 'wrong_audience')

const hasTypedIds: ClaimsStep = ({ user_id, sub, sid, jti, email }) => {
  const typed = isUuid(user_id) && isUuid(sid) && isText(jti) && isText(email)
  return typed && sub === user_id ? undefined : 'invalid_claim'
}

const hasTypedTimes: ClaimsStep = ({ iat, exp, nbf }) =>
  isTime(iat) && isTime(exp) && (nbf === undefined || isTime(nbf)) ? undefined : 'invalid_claim'

const isNotFromTheFuture: ClaimsStep = ({ iat, nbf }, { now }) => {
  const latest = now + LEEWAY_SECONDS
  return Number(iat) > latest || (nbf !== undefined && Number(nbf) > latest) ? 'invalid_claim' : undefined
}

/** Nobody who signs for us makes a token that lives longer. */
const livesNoLonger: ClaimsStep = ({ iat, exp }, { ttlSeconds }) => {
  const life = Number(exp) - Number(iat)
  return life < 0 || life > ttlSeconds + LEEWAY_SECONDS ? 'invalid_claim' : undefined
}

/** RFC 7519, 4.1.4: on or after `exp` it is over. */
const hasNotExpired: ClaimsStep = ({ exp }, { now }) =>
  now >= Number(exp) + LEEWAY_SECONDS ? 'token_expired' : undefined

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
