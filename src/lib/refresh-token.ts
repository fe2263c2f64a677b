import { createHmac, timingSafeEqual } from 'node:crypto'
import { decodeBase64url } from './base64url.js'
import { deriveKey } from './seal.js'

const PREFIX = 'prt_'
const VERSION = 1
const SESSION_ID_AT = 1
const COUNTER_AT = 17
const MAC_AT = 25
/** A multiple of three, so that base64url has no spare bits: one token has one spelling. */
const LENGTH = 57

/** Which session, and the how-manieth token of it. */
export interface RefreshTokenContent {
  /** Canonical lower-case UUID. */
  sessionId: string
  counter: number
}

export type RefreshTokens = ReturnType<typeof createRefreshTokens>

interface Key {
  id: number
  mac: Buffer
}

/**
 * Refresh tokens are computed, never stored: version, session id and counter under an HMAC-SHA-256 whose key is
 * derived from AUTH_SECRET. Those made under `previous` are accepted too, so that the secret can change.
 */
export function createRefreshTokens({ secret, previous }: { secret: Buffer; previous?: Buffer | undefined }) {
  const current = toKey(secret)
  const keys = previous === undefined ? [current] : [current, toKey(previous)]

  return {
    /** Names the signing key without telling anything about it; two instances with the same secret agree on it. */
    keyId: current.id,

    /**
     * Deterministic for a key. While a secret changes, instances sign with different ones: `keyId` makes again the
     * very token that another instance made. A key that is not known here falls back to the current one.
     */
    issue({ sessionId, counter }: RefreshTokenContent, keyId: number = current.id): string {
      const token = Buffer.alloc(LENGTH)
      token.writeUInt8(VERSION, 0)
      token.write(sessionId.replaceAll('-', ''), SESSION_ID_AT, 'hex')
      token.writeBigUInt64BE(BigInt(counter), COUNTER_AT)
      const key = keys.find(({ id }) => id === keyId) ?? current
      authenticate(key, token).copy(token, MAC_AT)
      return PREFIX + token.toString('base64url')
    },

    /** `malformed` does not have the form of a token; `forged` has, but was made under none of our secrets. */
    read(text: string): RefreshTokenContent | 'malformed' | 'forged' {
      const token = text.startsWith(PREFIX) ? decodeBase64url(text.slice(PREFIX.length)) : undefined
      if (token?.length !== LENGTH || token[0] !== VERSION) return 'malformed'
      const mac = token.subarray(MAC_AT)
      // Every key is tried, so that the time does not tell which one a token was made under.
      const genuine = keys.map((key) => timingSafeEqual(authenticate(key, token), mac)).includes(true)
      if (!genuine) return 'forged'
      return { sessionId: toUuid(token), counter: Number(token.readBigUInt64BE(COUNTER_AT)) }
    }
  }
}

function toKey(secret: Buffer): Key {
  return {
    id: deriveKey(secret, 'postern refresh token key id', 4).readInt32BE(),
    mac: deriveKey(secret, 'postern refresh token v1')
  }
}

function authenticate(key: Key, token: Buffer): Buffer {
  return createHmac('sha256', key.mac).update(token.subarray(0, MAC_AT)).digest()
}

function toUuid(token: Buffer): string {
  const hex = token.toString('hex', SESSION_ID_AT, COUNTER_AT)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
