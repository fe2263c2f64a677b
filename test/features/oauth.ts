import t from 'tap'
import { createApp, newUser } from '../fixtures/app.js'
import { type App, unlimited } from '../fixtures/sessions.js'

const clients = [
  { id: 'gateway', secret: 'a secret+of%20the gateway:1' },
  { id: 'other', secret: 'the secret of another client' }
]
const config = { ...unlimited, clients }
const FORM = 'application/x-www-form-urlencoded'

/** RFC 6749, section 2.3.1. */
function basic(id: string, secret: string): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`
}

const authorization = basic('gateway', 'a secret+of%20the gateway:1')

async function post({ app }: App, path: string, payload: string, headers: Record<string, string> = {}) {
  const all = { authorization, 'content-type': FORM, ...headers }
  const answer = await app.inject({ method: 'POST', url: path, payload, headers: all })
  return { status: answer.statusCode, headers: answer.headers, raw: answer.payload, body: parse(answer.payload) }
}

function parse(text: string) {
  return text === '' ? undefined : JSON.parse(text)
}

const introspect = (app: App, token: string) => post(app, '/auth/introspect', new URLSearchParams({ token }).toString())
const revoke = (app: App, token: string) => post(app, '/auth/revoke', new URLSearchParams({ token }).toString())

async function events({ sql }: App) {
  return [
    ...(await sql`select event_type, success, user_id, email, session_id, details from postern.auth_events
    where event_type not in ('signup', 'refresh', 'service_started', 'key_created', 'key_rotated') order by created_at, id`)
  ]
}

t.test('without configured clients there is no introspection and no revocation: 404', async (t) => {
  const app = await createApp(t, { config: { ...unlimited, clients: [] } })
  for (const path of ['/auth/introspect', '/auth/revoke']) {
    for (const method of ['POST', 'GET'] as const) {
      const answer = await app.app.inject({ method, url: path, headers: { authorization } })
      t.equal(answer.statusCode, 404)
      t.equal(answer.json().code, 'not_found')
    }
  }
})

t.test('a live access token is active, with what it says and whose it is', async (t) => {
  const app = await createApp(t, { config })
  const user = await newUser(app.http)
  const { status, body, headers } = await introspect(app, user.token)
  t.equal(status, 200)
  t.match(headers, { 'cache-control': 'no-store', 'content-type': /^application\/json/ })
  const claims = JSON.parse(Buffer.from(user.token.split('.')[1] ?? '', 'base64url').toString())
  t.strictSame(body, {
    active: true,
    token_use: 'access_token',
    token_type: 'Bearer',
    sub: user.user_id,
    sid: claims.sid,
    username: user.email,
    iss: app.config.issuer,
    aud: app.config.audience,
    jti: claims.jti,
    iat: claims.iat,
    exp: claims.exp
  })
})

t.test('the newest refresh token is active, and cannot be taken for an access token', async (t) => {
  const app = await createApp(t, { config })
  const user = await newUser(app.http)
  const { body } = await introspect(app, user.refresh_token)
  t.match(body, { active: true, token_use: 'refresh_token', sub: user.user_id, username: user.email })
  t.equal(body.exp - body.iat, 604_800)
  t.notOk('token_type' in body || 'aud' in body)
})

t.test('introspecting a refresh token does not use it up', async (t) => {
  const app = await createApp(t, { config: { ...config, refreshReuseIntervalSeconds: 0 } })
  const user = await newUser(app.http)
  await introspect(app, user.refresh_token)
  t.equal((await app.http('POST', '/auth/refresh', { body: { refresh_token: user.refresh_token } })).status, 200)
})

t.test('for anything that is not live the answer is active false and nothing else, and no event', async (t) => {
  const app = await createApp(t, { config })
  const { sql } = app
  const replaced = await newUser(app.http)
  await app.http('POST', '/auth/refresh', { body: { refresh_token: replaced.refresh_token } })
  const inactive = await newUser(app.http)
  await sql`update postern.users set is_active = false where id = ${inactive.user_id}`
  const ended = await newUser(app.http)
  await sql`update postern.sessions set ended_at = now() where user_id = ${ended.user_id}`
  const expired = await newUser(app.http)
  await sql`update postern.sessions set expires_at = now() where user_id = ${expired.user_id}`
  const altered = (token: string) => token.slice(0, -3) + (token.endsWith('AAA') ? 'BBB' : 'AAA')
  for (const token of [
    'nonsense',
    'prt_nonsense',
    altered(ended.token),
    altered(ended.refresh_token),
    replaced.refresh_token,
    ...[inactive, ended, expired].flatMap((user) => [user.token, user.refresh_token])
  ]) {
    const { status, raw } = await introspect(app, token)
    t.equal(status, 200)
    t.equal(raw, '{"active":false}')
  }
  app.clock.advance('25h')
  t.equal((await introspect(app, replaced.token)).raw, '{"active":false}')
  t.strictSame(await events(app), [])
})

t.test('a hint, right, wrong or unknown, changes nothing', async (t) => {
  const app = await createApp(t, { config })
  const user = await newUser(app.http)
  for (const hint of ['access_token', 'refresh_token', 'nonsense', '']) {
    for (const token of [user.token, user.refresh_token]) {
      const { body } = await post(
        app,
        '/auth/introspect',
        new URLSearchParams({ token, token_type_hint: hint }).toString()
      )
      t.equal(body.active, true)
    }
  }
})

t.test('a client revokes a session by its access token, its refresh token, or a refresh token of before', async (t) => {
  const app = await createApp(t, { config })
  const users = [await newUser(app.http), await newUser(app.http), await newUser(app.http)]
  const [byAccess, byRefresh, byOld] = users
  await app.http('POST', '/auth/refresh', { body: { refresh_token: byOld?.refresh_token } })
  for (const token of [byAccess?.token, byRefresh?.refresh_token, byOld?.refresh_token]) {
    const { status, raw } = await revoke(app, token ?? '')
    t.equal(status, 200)
    t.equal(raw, '')
  }
  for (const { token, refresh_token } of users) {
    t.equal((await app.http('GET', '/auth/me', { token })).body.code, 'session_ended')
    t.equal((await app.http('POST', '/auth/refresh', { body: { refresh_token } })).status, 401)
  }
  const revoked = (await events(app)).filter(({ event_type }) => event_type === 'session_revoked')
  t.match(
    revoked,
    users.map(({ user_id, email }) => ({
      success: true,
      user_id,
      email,
      session_id: String,
      details: { by: 'client', client_id: 'gateway' }
    }))
  )
})

t.test('revoking what is unknown, forged or over already is 200 without an event', async (t) => {
  const app = await createApp(t, { config })
  const user = await newUser(app.http)
  await revoke(app, user.token)
  const before = await events(app)
  for (const token of ['nonsense', 'prt_nonsense', user.token, user.refresh_token]) {
    t.equal((await revoke(app, token)).status, 200)
  }
  t.strictSame(await events(app), before)
})

t.test('a revocation whose event cannot be written ends nothing and answers 503', async (t) => {
  const app = await createApp(t, { config })
  const user = await newUser(app.http)
  await app.sql`alter table postern.auth_events add constraint no_more check (event_type <> 'session_revoked') not valid`
  t.equal((await revoke(app, user.token)).status, 503)
  t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 200)
})

t.test('a client authenticates by Basic, form-urlencoded or as it is, with the scheme in any case', async (t) => {
  const app = await createApp(t, { config })
  const asItIs = Buffer.from('gateway:a secret+of%20the gateway:1').toString('base64')
  for (const header of [
    authorization,
    authorization.replace('Basic', 'bASIC'),
    `Basic ${asItIs}`,
    basic('other', 'the secret of another client')
  ]) {
    t.equal((await post(app, '/auth/introspect', 'token=x', { authorization: header })).status, 200)
  }
})

t.test(
  'without the credentials of a client: 401 invalid_client, whatever the token, and nothing is revoked',
  async (t) => {
    const app = await createApp(t, { config })
    const user = await newUser(app.http)
    const plain = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    for (const header of [
      '',
      'Basic',
      'Basic ',
      'Basic ====',
      authorization.slice(0, -4),
      `Basic  ${authorization.slice(6)}`,
      `${authorization} `.replace('Basic ', 'Basic\t'),
      `Bearer ${user.token}`,
      plain('gateway'),
      plain('gateway:'),
      plain(':'),
      basic('gateway', 'the secret of another client'),
      basic('other', 'a secret+of%20the gateway:1'),
      basic('Gateway', 'a secret+of%20the gateway:1'),
      basic('gateway', 'a secret+of%20the gateway:1 '),
      basic('nobody', 'x')
    ]) {
      for (const path of ['/auth/introspect', '/auth/revoke']) {
        const answer = await post(app, path, `token=${user.token}`, { authorization: header })
        t.equal(answer.status, 401, header)
        t.equal(answer.body.code, 'invalid_client')
        t.equal(answer.headers['www-authenticate'], 'Basic realm="postern"')
      }
    }
    t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 200)
  }
)

t.test('the credentials are judged before the body is', async (t) => {
  const app = await createApp(t, { config })
  t.equal((await post(app, '/auth/introspect', 'token=%', { authorization: '' })).status, 401)
})

t.test('only a form is taken, and only with its two parameters, each once', async (t) => {
  const app = await createApp(t, { config })
  const long = `token=${'x'.repeat(16_400)}`
  for (const [payload, type, status, code] of [
    ['{"token":"x"}', 'application/json', 415, 'unsupported_media_type'],
    ['token=x', 'text/plain', 415, 'unsupported_media_type'],
    ['token=x', `${FORM}; charset=utf-16`, 415, 'unsupported_media_type'],
    ['token=x', `${FORM};charset=UTF-8`, 200, undefined],
    ['', FORM, 400, 'invalid_request'],
    ['token=', FORM, 400, 'invalid_request'],
    ['token=x&token=y', FORM, 400, 'invalid_request'],
    ['token=x&client_secret=y', FORM, 400, 'invalid_request'],
    ['token=x&__proto__=y', FORM, 400, 'invalid_request'],
    ['token=%ff', FORM, 400, 'invalid_request'],
    [long, FORM, 413, 'payload_too_large']
  ] as const) {
    const answer = await post(app, '/auth/introspect', payload, { 'content-type': type })
    t.equal(answer.status, status, `${type} ${payload.slice(0, 40)}`)
    t.equal(answer.body?.code, code)
  }
})

t.test('the other routes go on taking JSON alone', async (t) => {
  const app = await createApp(t, { config })
  t.equal((await post(app, '/auth/login', 'email=a%40b.example&password=x')).status, 415)
})
