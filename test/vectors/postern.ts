import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { join } from 'node:path'
import type { JWK } from 'jose'
import t, { type Test } from 'tap'
import { restoreKey } from '../../src/features/keys/material.js'
import { createRing } from '../../src/features/keys/ring.js'
import type { Algorithm } from '../../src/features/keys/types.js'
import { packageRoot } from '../../src/lib/package-root.js'
import { placeholder } from '../../src/lib/secret-strength.js'
import { connect, createDatabase } from '../fixtures/postgres.js'
import { config, createApp, present } from '../fixtures/tokens.js'
import { readVectorKeys, readVectors, vectorsText } from '../fixtures/vectors.js'

const DAY_MS = 86_400_000
const document = readVectors()
const keys = readVectorKeys()
const authSecret = Buffer.from('whatever seals the keys of this test')

/** Each signed for a day, in this order; the last but one is current and the last is next. */
const TURNS = ['HS256', 'RS256', 'EdDSA', 'ES256', 'ES256-next']

const materialOf = (jwk: JWK): Buffer =>
  jwk.k === undefined
    ? Buffer.from(createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }))
    : Buffer.from(jwk.k, 'base64url')

/** The service at the time of the vectors, with their keys, their user and the user's session. */
async function createVectorApp(t: Test) {
  const databaseUrl = await createDatabase(t)
  const now = document.time * 1000
  const at = (turn: number) => new Date(now + (turn - TURNS.indexOf('ES256') - 0.5) * DAY_MS)
  const ring = createRing({ authSecret, authSecretPrevious: undefined, jwtSecret: undefined })
  const sql = connect(databaseUrl, 1)
  for (const [turn, name] of TURNS.entries()) {
    const jwk = keys[name] as JWK & { kid: string; alg: Algorithm }
    const key = restoreKey(jwk.alg, jwk.kid, materialOf(jwk))
    if (key === undefined) throw new Error(`${name} is not the key of its kid`)
    const replacedAt = turn < TURNS.indexOf('ES256') ? at(turn + 1) : null
    await sql`insert into postern.signing_keys
      (kid, algorithm, private_key_ciphertext, created_at, active_at, replaced_at, retires_at) values
      (${key.kid}, ${key.algorithm}, ${ring.sealKey(key)}, ${at(-2)}, ${at(turn)}, ${replacedAt}, ${at(turn + 9)})`
  }
  await sql`insert into postern.users (id, email, password_hash) values (${document.user_id}, 'ada@example.com', 'none')`
  await sql`insert into postern.sessions (id, user_id, expires_at)
    values (${document.session_id}, ${document.user_id}, now() + interval '1 day')`
  await sql.end()
  const clock = { now: () => now, advance: () => undefined }
  const { issuer, audience, longest_life_seconds: accessTokenTtlSeconds } = document
  return await createApp(t, {
    config: { ...config, databaseUrl, authSecret, issuer, audience, accessTokenTtlSeconds },
    clock
  })
}

t.test('the file of test vectors is what its script makes', async (t) => {
  const script = join(packageRoot(), 'scripts/vectors/index.js')
  t.equal(execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' }), vectorsText())
})

t.test('every id of a vector is there once, and every refused one says who has to refuse it, and why', async (t) => {
  const ids = document.vectors.map(({ id }) => id)
  t.ok(ids.length > 200)
  t.strictSame(ids, [...new Set(ids)])
  for (const { id, verdict, level, reason } of document.vectors) {
    t.equal(verdict === 'refused', level !== undefined && reason !== undefined, id)
  }
})

t.test('the secret of the test vectors, which everybody knows, is refused in production as a sample', async (t) => {
  t.match(placeholder(Buffer.from(document.secret.k, 'base64url').toString()), /sample/)
})

t.test('the service takes the good ones of the test vectors, and refuses each other for its reason', async (t) => {
  const app = await createVectorApp(t)
  for (const { id, about, token, verdict, reason } of document.vectors) {
    const { status, code, rows } = await present(app, token)
    const [expected, refusal] = [
      { status: 200, code: undefined, reasons: [] },
      { status: 401, code: reason === 'token_expired' ? reason : 'invalid_token', reasons: [reason] }
    ]
    const actual = { status, code, reasons: rows.map((row) => row.reason) }
    t.strictSame(actual, verdict === 'good' ? expected : refusal, `${id}: ${about}`)
  }
})
