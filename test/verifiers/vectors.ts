import { JwtVerifier } from 'aws-jwt-verify'
import type { Jwks } from 'aws-jwt-verify/jwk'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { checkVectors, readVectors } from '../fixtures/vectors.js'

const algorithms = ['ES256', 'EdDSA', 'RS256']
const document = readVectors()
const { issuer, audience, type: typ, jwks, secret } = document

t.test('jose agrees with the test vectors, with key pairs and with a secret', async (t) => {
  const options = {
    issuer,
    audience,
    typ,
    requiredClaims: ['exp'],
    currentDate: new Date(document.time * 1000),
    clockTolerance: document.leeway_seconds
  }
  const keys = createLocalJWKSet(jwks)
  await checkVectors(t, (token) => jwtVerify(token, keys, { ...options, algorithms }), algorithms)

  const secretBytes = Buffer.from(secret.k, 'base64url')
  const hmac = ['HS256']
  await checkVectors(t, (token) => jwtVerify(token, secretBytes, { ...options, algorithms: hmac }), hmac)
})

t.test('aws-jwt-verify agrees with the test vectors, once it is told what it does not look at', async (t) => {
  // It has no other way to be told the time.
  t.intercept(Date, 'now', { value: () => document.time * 1000 })
  const verifier = JwtVerifier.create({
    issuer,
    audience,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    graceSeconds: document.leeway_seconds,
    customJwtCheck: ({ header, payload }) => {
      if (header.typ !== typ) throw new Error('it is another kind of token')
      if ('crit' in header) throw new Error('crit is not understood')
      if (payload.exp === undefined) throw new Error('it never ends')
    }
  })
  verifier.cacheJwks(jwks as Jwks)
  await checkVectors(t, (token) => verifier.verifySync(token), algorithms)
})
