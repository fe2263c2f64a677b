import { createPrivateKey, createPublicKey, generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { jwkThumbprint } from '../../lib/jwk-thumbprint.js'
import { deriveKey } from '../../lib/seal.js'
import type { Algorithm, AsymmetricAlgorithm, PublicJwk, SigningKey } from './types.js'

const RSA_BITS = 2048
const KID_OF_SECRET = 'postern/jwt-secret/kid'

const KEY_TYPES: Record<AsymmetricAlgorithm, string> = { ES256: 'ec', EdDSA: 'ed25519', RS256: 'rsa' }

/**
 * A fresh key pair. The elliptic ones take well under a millisecond; RSA takes up to half a second, so it alone is
 * made off the event loop, behind whatever hashes wait there: nothing on a request's path waits for it.
 */
export async function createKey(algorithm: AsymmetricAlgorithm): Promise<SigningKey> {
  if (algorithm === 'RS256') {
    const pair = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS })
    return fromPrivateKey(algorithm, pair.privateKey)
  }
  const { privateKey } =
    algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  return fromPrivateKey(algorithm, privateKey)
}

/**
 * The key whose material was kept: a PKCS #8 PEM, or the bytes of an HS256 secret. Undefined when it is not the key of
 * that algorithm and kid: both stand in the table in the clear, and whoever can write there can alter them.
 */
export function restoreKey(algorithm: Algorithm, kid: string, material: Buffer): SigningKey | undefined {
  try {
    const key = algorithm === 'HS256' ? keyOfSecret(material) : fromPem(algorithm, material.toString('utf8'))
    return key.kid === kid ? key : undefined
  } catch {
    return undefined
  }
}

/** The HS256 key of a secret, used as it is. The kid is derived so that it says nothing about the secret. */
export function keyOfSecret(secret: Buffer): SigningKey {
  const kid = deriveKey(secret, KID_OF_SECRET, 16).toString('base64url')
  return { kid, algorithm: 'HS256', signWith: secret, verifyWith: secret, publicJwk: undefined }
}

/** What is to be kept of a key, for `restoreKey`. */
export function materialOf({ signWith }: SigningKey): Buffer {
  return typeof signWith === 'string' ? Buffer.from(signWith, 'utf8') : signWith
}

function fromPem(algorithm: AsymmetricAlgorithm, pem: string): SigningKey {
  const privateKey = createPrivateKey(pem)
  if (privateKey.asymmetricKeyType !== KEY_TYPES[algorithm]) throw new TypeError(`not a key for ${algorithm}`)
  return fromPrivateKey(algorithm, privateKey)
}

function fromPrivateKey(algorithm: AsymmetricAlgorithm, privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey)
  const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' }) as Record<string, string | undefined>
  const members = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })) as { kty: string }
  const kid = jwkThumbprint(members)
  const publicJwk: PublicJwk = { ...members, use: 'sig', alg: algorithm, kid }
  return {
    kid,
    algorithm,
    signWith: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    verifyWith: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    publicJwk
  }
}
