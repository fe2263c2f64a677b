import { createECDH, createHash, createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'

/** The order of P-256. */
export const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

export const toNumber = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
export const toBytes = (number) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
const hmac = (key, ...parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest()

/** Text and bytes are taken as they are, so that a part need not be JSON. */
export function encode(part) {
  const bytes = typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part)
  return Buffer.from(bytes).toString('base64url')
}

/** The signature of `text` under a private JWK, by the algorithm `alg`, which need not be the key's own. */
export function signatureOf(text, jwk, alg = jwk.alg) {
  const bytes = Buffer.from(text)
  if (alg.startsWith('HS')) {
    return createHmac(`sha${alg.slice(2)}`, Buffer.from(jwk.k, 'base64url'))
      .update(bytes)
      .digest()
  }
  if (alg === 'ES256') return signEs256(bytes, jwk)
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return sign(alg === 'EdDSA' ? null : `sha${alg.slice(2)}`, bytes, key)
}

/** The public key in SPKI, as `type` has it: `pem` or `der`. */
export function publicKeyOf(jwk, type) {
  return Buffer.from(createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: type }))
}

/** ECDSA with the nonce of RFC 6979 and the smaller s: the same at each run, unlike OpenSSL's. For keys that are no secret. */
function signEs256(bytes, { d }) {
  const secret = toNumber(Buffer.from(d, 'base64url'))
  const hash = toNumber(createHash('sha256').update(bytes).digest())
  const nonce = nonceOf(secret, hash)
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(toBytes(nonce))
  const r = toNumber(curve.getPublicKey().subarray(1, 33)) % ORDER
  const s = (power(nonce, ORDER - 2n) * (hash + r * secret)) % ORDER
  return Buffer.concat([toBytes(r), toBytes(s > ORDER / 2n ? ORDER - s : s)])
}

/** RFC 6979, 3.2. */
function nonceOf(secret, hash) {
  const seed = Buffer.concat([toBytes(secret), toBytes(hash % ORDER)])
  let value = Buffer.alloc(32, 1)
  let key = Buffer.alloc(32)
  for (const step of [0, 1]) {
    key = hmac(key, value, Buffer.from([step]), seed)
    value = hmac(key, value)
  }
  for (;;) {
    value = hmac(key, value)
    const nonce = toNumber(value)
    if (nonce > 0n && nonce < ORDER) return nonce
    key = hmac(key, value, Buffer.from([0]))
    value = hmac(key, value)
  }
}

function power(base, exponent) {
  let result = 1n
  for (let [square, left] = [base % ORDER, exponent]; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % ORDER
    square = (square * square) % ORDER
  }
  return result
}
