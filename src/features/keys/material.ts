import { createPrivateKey, createPublicKey, generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { jwkThumbprint } from '../../lib/jwk-thumbprint.js'
import { deriveKey } from '../../lib/seal.js'
import type { AsymmetricAlgorithm, PublicJwk, SigningKey } from './types.js'

const RSA_BITS = 2048
const KID_OF_SECRET = 'postern/jwt-secret/kid'

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

/** The key whose PKCS #8 PEM was kept. */
export function restoreKey(algorithm: AsymmetricAlgorithm, privatePem: string): SigningKey {
  return fromPrivateKey(algorithm, createPrivateKey(privatePem))
}

/** The HS256 key of a secret, used as it is. The kid is derived so that it says nothing about the secret. */
export function keyOfSecret(secret: Buffer): SigningKey {
  const kid = deriveKey(secret, KID_OF_SECRET, 16).toString('base64url')
  return { kid, algorithm: 'HS256', signWith: secret, verifyWith: secret, publicJwk: undefined }
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
