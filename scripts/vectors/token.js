import { encode, signatureOf } from './sign.js'

/** 2027-01-15T08:00:00Z */
export const TIME = 1_800_000_000
export const TTL_SECONDS = 86_400
export const LEEWAY_SECONDS = 5
export const ISSUER = 'https://id.example.com/auth'
export const AUDIENCE = 'postern'

export const USER_ID = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'
export const OTHER_ID = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5b'

/** As the service makes them: signed an hour ago, good for the rest of the day. */
export const CLAIMS = {
  user_id: USER_ID,
  email: 'ada@example.com',
  sub: USER_ID,
  sid: '01909c71-8b2e-7c41-8f06-5a4b3c2d1e0f',
  jti: 'f3b1c1de-5d0e-4c6e-9a5b-0c1d2e3f4a5b',
  iat: TIME - 3600,
  exp: TIME - 3600 + TTL_SECONDS,
  iss: ISSUER,
  aud: AUDIENCE
}

export const headerOf = (key) => ({ alg: key.alg, typ: 'at+jwt', kid: key.kid })

/** Changes that are undefined take a member away. Text and bytes replace the whole part. */
const changed = (part, change) =>
  typeof change === 'string' || Buffer.isBuffer(change) ? change : { ...part, ...change }

/**
 * A token of `key`. `header` and `claims` are changes; `signer` and `alg` sign in the key's place; `text` is what becomes
 * of the encoded parts before they are signed, and `signature` of the signature after.
 */
export function make(
  key,
  {
    header = {},
    claims = {},
    signer = key,
    alg = signer.alg,
    text = (parts) => parts,
    signature = (bytes) => bytes
  } = {}
) {
  const parts = [encode(changed(headerOf(key), header)), encode(changed(CLAIMS, claims))]
  const signed = text(parts).join('.')
  return `${signed}.${encode(signature(signatureOf(signed, signer, alg), signed))}`
}

/** The token with the lowest bit of one byte of a part flipped, the signature left as it was. */
export function flipBit(token, part, at) {
  const parts = token.split('.')
  const bytes = Buffer.from(parts[part], 'base64url')
  const index = typeof at === 'string' ? bytes.indexOf(at) + at.length : (at + bytes.length) % bytes.length
  bytes[index] ^= 1
  parts[part] = encode(bytes)
  return parts.join('.')
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The same bytes in another text: a bit behind the last byte is set. The length must leave spare bits. */
export function withSpareBit(text) {
  if (text.length % 4 < 2) throw new Error('there are no spare bits')
  return text.slice(0, -1) + ALPHABET[ALPHABET.indexOf(text.at(-1)) | 1]
}

/** Text of the length that base64 has. There must be something to fill. */
export function padded(text) {
  if (text.length % 4 < 2) throw new Error('there is nothing to pad')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}
