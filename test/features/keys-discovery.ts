import { createPublicKey } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import t from 'tap'
import { createApp } from '../fixtures/app.js'
import { jwtSecret, tokenOf } from '../fixtures/keys.js'
import { type App, unlimited } from '../fixtures/sessions.js'
import { verdict } from '../fixtures/tokens.js'

const JWKS = '/auth/.well-known/jwks.json'
const METADATA = '/auth/.well-known/oauth-authorization-server'

const MEMBERS = {
  ES256: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
  EdDSA: ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
  RS256: ['alg', 'e', 'kid', 'kty', 'n', 'use']
}

t.test('the key set has the public members of each key and nothing else, whatever the algorithm', async (t) => {
  for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
    const app = await createApp(t, { config: { ...unlimited, jwtAlgorithm: algorithm } })
    const { status, headers, body } = await app.http('GET', JWKS)
    t.equal(status, 200)
    t.match(headers['content-type'], /^application\/json/)
    t.equal(body.keys.length, 2)
    for (const jwk of body.keys) {
      t.strictSame(Object.keys(jwk).sort(), MEMBERS[algorithm])
      t.match(jwk, { use: 'sig', alg: algorithm, kid: await calculateJwkThumbprint(jwk) })
      t.equal(createPublicKey({ key: jwk, format: 'jwk' }).type, 'public')
    }
    t.equal(await verdict(app, await tokenOf(app)), 'good')
  }
})

t.test('under HS256 the key set is empty', async (t) => {
  const { http } = await createApp(t, { config: { ...unlimited, jwtSecret } })
  for (const path of [JWKS, '/.well-known/jwks.json']) t.equal((await http('GET', path)).raw, '{"keys":[]}')
})

t.test('the key set and the metadata are the same at the root, also for HEAD', async (t) => {
  const { http } = await createApp(t, { config: unlimited })
  for (const [path, atRoot] of [
    [JWKS, '/.well-known/jwks.json'],
    [METADATA, '/.well-known/oauth-authorization-server/auth']
  ] as const) {
    const [one, other] = [await http('GET', path), await http('GET', atRoot)]
    t.equal(one.raw, other.raw)
    t.equal(one.headers.etag, other.headers.etag)
    for (const url of [path, atRoot]) {
      const head = await http('HEAD', url)
      t.equal(head.status, 200)
      t.equal(head.raw, '')
      t.match(head.headers, { etag: one.headers.etag, 'cache-control': one.headers['cache-control'] })
    }
  }
})

t.test('what a client has already is 304: a strong or weak tag, a list, or a star', async (t) => {
  const app = await createApp(t, { config: unlimited })
  for (const path of [JWKS, METADATA]) {
    const { headers, raw } = await app.http('GET', path)
    const tag = headers.etag as string
    t.match(tag, /^"[A-Za-z0-9_-]{43}"$/)
    for (const value of [tag, `W/${tag}`, `"other", ${tag}`, `"other",W/${tag}`, '*']) {
      const answer = await app.http('GET', path, { headers: { 'if-none-match': value } })
      t.equal(answer.status, 304, value)
      t.equal(answer.raw, '')
      t.match(answer.headers, { etag: tag, 'cache-control': headers['cache-control'] })
    }
    for (const value of ['"other"', tag.slice(1), tag.replaceAll('"', ''), '', '"']) {
      const answer = await app.http('GET', path, { headers: { 'if-none-match': value } })
      t.equal(answer.status, 200, value)
      t.equal(answer.raw, raw)
    }
  }
  const before = (await app.http('GET', JWKS)).headers.etag as string
  await app.app.keys.rotate({ force: true })
  const after = await app.http('GET', JWKS, { headers: { 'if-none-match': before } })
  t.equal(after.status, 200, 'a rotation changes the set')
  t.equal(after.body.keys.length, 3)
})

t.test('a key set may be kept for five minutes, and never for longer than the next key waits', async (t) => {
  for (const [ahead, most] of [
    [86_400, 300],
    [300, 300],
    [60, 60],
    [2, 2],
    [1, 1]
  ] as const) {
    const app = await createApp(t, {
      config: { ...unlimited, keyPublishAheadSeconds: ahead, keyRotationSeconds: 86_400 }
    })
    for (const path of [JWKS, METADATA]) {
      const [, seconds] =
        /^public, max-age=(\d+)$/.exec((await app.http('GET', path)).headers['cache-control'] ?? '') ?? []
      t.ok(Number(seconds) <= most, `${seconds} of ${ahead}`)
    }
  }
})

t.test('every URL of the metadata is below ISSUER, whatever the request says about its host', async (t) => {
  const issuer = 'https://id.example.com/base/auth'
  const clients = [{ id: 'gateway', secret: 'a secret of the gateway, long enough' }]
  const app = await createApp(t, { config: { ...unlimited, issuer, clients, trustProxy: ['loopback'] } })
  const evil = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
  const { status, raw, body } = await app.http('GET', METADATA, {
    headers: { ...evil, 'x-original-url': '/evil', 'x-forwarded-prefix': '/evil', forwarded: 'host=evil.example' }
  })
  t.equal(status, 200)
  t.equal(raw, (await app.http('GET', METADATA)).raw)
  t.strictSame(body, {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: [],
    token_endpoint_auth_methods_supported: [],
    service_documentation: `${issuer}/openapi.json`,
    introspection_endpoint: `${issuer}/introspect`,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
    revocation_endpoint: `${issuer}/revoke`,
    revocation_endpoint_auth_methods_supported: ['client_secret_basic']
  })
})

t.test('without clients the metadata names no introspection and no revocation', async (t) => {
  const { http } = await createApp(t, { config: unlimited })
  const { body } = await http('GET', METADATA)
  t.strictSame(
    Object.keys(body).filter((name) => /introspection|revocation/.test(name)),
    []
  )
})

t.test('the key set comes from memory: it is there while the database is away', async (t) => {
  const app: App = await createApp(t, { config: unlimited })
  const before = await app.http('GET', JWKS)
  await app.sql.unsafe('alter table postern.signing_keys rename to gone')
  t.match(await app.http('GET', JWKS), { status: 200, raw: before.raw })
  await app.sql.unsafe('alter table postern.gone rename to signing_keys')
})
