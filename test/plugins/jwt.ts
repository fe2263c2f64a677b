import t from 'tap'
import { unlimited } from '../fixtures/sessions.js'
import { config, createApp, decode, genuine, newUser, present } from '../fixtures/tokens.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const jwtSecret = Buffer.from('K8sJ2nR5vX1qYbT7mWcZ4hLpE9dGfA3uQx6iOyNk', 'utf8')

t.test('a token says what the contract says, and nothing else', async (t) => {
  for (const signing of [{ jwtSecret }, {}]) {
    const app = await createApp(t, { config: { ...unlimited, ...signing } })
    const before = Math.floor(app.clock.now() / 1000)
    const { header, payload, user, key } = await genuine(app)
    t.strictSame(header, { alg: key.algorithm, typ: 'at+jwt', kid: key.kid })
    const { iat, exp, jti, sid, ...rest } = payload as Record<string, number | string>
    t.strictSame(rest, {
      user_id: user.user_id,
      sub: user.user_id,
      email: user.email,
      iss: app.config.issuer,
      aud: app.config.audience
    })
    t.match(sid, UUID)
    t.type(jti, 'string')
    t.ok(Number(iat) >= before && Number(iat) <= Math.ceil(app.clock.now() / 1000))
    t.equal(Number(exp) - Number(iat), 86_400)
    t.equal(user.expires_in, 86_400)
  }
})

t.test('two tokens of one session in one second differ by their jti', async (t) => {
  const { app } = await createApp(t)
  const subject = {
    userId: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a',
    email: 'ada@example.com',
    sessionId: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5b',
    sessionExpiresAt: new Date(Number.MAX_SAFE_INTEGER)
  }
  const tokens = await Promise.all(Array.from({ length: 50 }, () => app.accessTokens.issue(subject)))
  t.equal(new Set(tokens.map(({ token }) => decode(token).payload.jti)).size, 50)
})

t.test('a token never outlives its session', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  await app.sql`update postern.sessions set expires_at = now() + interval '100 s' where user_id = ${user.user_id}`
  const { body } = await app.http('POST', '/auth/refresh', { body: { refresh_token: user.refresh_token } })
  const [row] = await app.sql`select expires_at from postern.sessions where user_id = ${user.user_id}`
  const { payload } = decode(body.token)
  t.equal(payload.exp, Math.floor(row?.expires_at.getTime() / 1000))
  t.equal(body.expires_in, Number(payload.exp) - Number(payload.iat))
  t.ok(body.expires_in <= 100)
})

t.test('a token is good until five seconds after its end, and then 401 token_expired', async (t) => {
  const app = await createApp(t, { config })
  const { token, user, payload } = await genuine(app)
  // Whole seconds: what is left of this one is the test's own time.
  app.clock.advance(`${Number(payload.exp) * 1000 + 1000 - Math.ceil(app.clock.now())}ms`)
  t.equal((await present(app, token)).status, 200)
  app.clock.advance('4s')
  const { status, code, headers, rows } = await present(app, token)
  t.equal(status, 401)
  t.equal(code, 'token_expired')
  t.match(headers['www-authenticate'], /^Bearer realm="postern", error="invalid_token"/)
  t.match(rows, [
    { type: 'token_rejected', success: false, reason: 'token_expired', user_id: user.user_id, email: user.email }
  ])
})

t.test('every algorithm signs and checks, and a token of one is refused under another service', async (t) => {
  const algorithms = [
    { jwtSecret },
    ...(['ES256', 'EdDSA', 'RS256'] as const).map((jwtAlgorithm) => ({ jwtAlgorithm }))
  ]
  const services = []
  for (const signing of algorithms) services.push(await createApp(t, { config: { ...config, ...signing } }))
  const users = await Promise.all(services.map((service) => genuine(service)))
  t.strictSame(
    users.map(({ header }) => header.alg),
    ['HS256', 'ES256', 'EdDSA', 'RS256']
  )
  for (const [mine, service] of services.entries()) {
    for (const [theirs, { token }] of users.entries()) {
      const { status, rows } = await present(service, token)
      t.equal(status, mine === theirs ? 200 : 401)
      t.strictSame(
        rows.map(({ reason }) => reason),
        mine === theirs ? [] : ['unknown_key']
      )
    }
  }
})

t.test(
  'neither kind of token passes for the other: a refresh token is no bearer, an access token refreshes nothing',
  async (t) => {
    const app = await createApp(t, { config })
    const { user, token } = await genuine(app)
    const { status, code, rows } = await present(app, user.refresh_token)
    t.strictSame({ status, code }, { status: 401, code: 'invalid_token' })
    t.match(rows, [{ type: 'token_rejected', reason: 'token_malformed', user_id: null }])
    for (const disguised of [token, `prt_${token}`, `prt_${token.split('.')[1]}`]) {
      const { status, body } = await app.http('POST', '/auth/refresh', { body: { refresh_token: disguised } })
      t.strictSame({ status, code: body.code }, { status: 401, code: 'invalid_refresh_token' })
    }
    t.equal((await present(app, token)).status, 200)
  }
)
