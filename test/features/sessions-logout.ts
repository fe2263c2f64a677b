import t from 'tap'
import { createApp, newUser, password } from '../fixtures/app.js'
import { type App, unlimited } from '../fixtures/sessions.js'

type User = Awaited<ReturnType<typeof newUser>>

async function login({ http }: App, { email }: User): Promise<User> {
  return (await http('POST', '/auth/login', { body: { email, password } })).body
}

/** A user with three sessions, and another one. */
async function prepare(t: Parameters<typeof createApp>[0], more: object = {}) {
  const app = await createApp(t, { config: { ...unlimited, ...more } })
  const first = await newUser(app.http)
  const sessions = [first, await login(app, first), await login(app, first)] as [User, User, User]
  return { app, sessions, stranger: await newUser(app.http) }
}

async function alive({ http }: App, users: User[]): Promise<boolean[]> {
  const answers = []
  for (const { token } of users) answers.push((await http('GET', '/auth/me', { token })).status === 200)
  return answers
}

async function events({ sql }: App) {
  return [
    ...(await sql`select event_type, success, failure_reason, user_id, email, session_id, details
    from postern.auth_events where event_type not in ('signup', 'login', 'service_started', 'key_created', 'key_rotated')
    and failure_reason is distinct from 'session_ended' order by created_at, id`)
  ]
}

t.test(
  'a logout without any body ends this session, its access and its refresh token at once, with one event',
  async (t) => {
    const { app, sessions, stranger } = await prepare(t)
    const [mine] = sessions
    const { status, body } = await app.http('POST', '/auth/logout', { token: mine.token })
    t.equal(status, 200)
    t.strictSame(Object.keys(body), ['message'])
    t.strictSame(await alive(app, [...sessions, stranger]), [false, true, true, true])
    t.equal((await app.http('POST', '/auth/refresh', { body: { refresh_token: mine.refresh_token } })).status, 401)
    t.match(await events(app), [
      {
        event_type: 'logout',
        success: true,
        user_id: mine.user_id,
        email: mine.email,
        session_id: String,
        details: { scope: 'session', sessions_ended: 1 }
      }
    ])
  }
)

t.test('scope all ends every session of the user, and no other user', async (t) => {
  const { app, sessions, stranger } = await prepare(t)
  t.equal((await app.http('POST', '/auth/logout', { token: sessions[1].token, body: { scope: 'all' } })).status, 200)
  t.strictSame(await alive(app, [...sessions, stranger]), [false, false, false, true])
  t.match(await events(app), [{ event_type: 'logout', details: { scope: 'all', sessions_ended: 3 } }])
})

t.test('scope others ends all but this one, and one that ends nothing is still an event', async (t) => {
  const { app, sessions, stranger } = await prepare(t)
  for (const expected of [2, 0]) {
    const { status } = await app.http('POST', '/auth/logout', { token: sessions[1].token, body: { scope: 'others' } })
    t.equal(status, 200)
    t.match((await events(app)).at(-1), {
      event_type: 'logout',
      details: { scope: 'others', sessions_ended: expected }
    })
  }
  t.strictSame(await alive(app, [...sessions, stranger]), [false, true, false, true])
  t.equal((await events(app)).length, 2)
})

t.test('the access token has expired: the refresh token logs out, with every scope', async (t) => {
  for (const [scope, left] of [
    ['session', [true, false, true]],
    ['others', [false, true, false]],
    ['all', [false, false, false]]
  ] as const) {
    const { app, sessions } = await prepare(t)
    const body = { scope, refresh_token: sessions[1].refresh_token }
    t.equal((await app.http('POST', '/auth/logout', { body })).status, 200)
    t.strictSame(await alive(app, sessions), left)
    t.match(await events(app), [{ event_type: 'logout', success: true, details: { scope } }])
  }
})

t.test('bearer and refresh token together: the bearer decides', async (t) => {
  const { app, sessions } = await prepare(t)
  for (const refresh_token of [sessions[1].refresh_token, 'nonsense']) {
    const { status } = await app.http('POST', '/auth/logout', { token: sessions[0].token, body: { refresh_token } })
    t.equal(status, 200)
  }
  const bad = await app.http('POST', '/auth/logout', {
    token: 'bad',
    body: { refresh_token: sessions[1].refresh_token }
  })
  t.equal(bad.status, 401)
  t.strictSame(await alive(app, sessions), [false, true, true])
})

t.test('by a token of a session that has ended: 200, nothing else ends, no event', async (t) => {
  const { app, sessions } = await prepare(t)
  const [mine] = sessions
  await app.http('POST', '/auth/logout', { token: mine.token })
  const before = await events(app)
  for (const scope of ['session', 'all', 'others']) {
    t.equal((await app.http('POST', '/auth/logout', { token: mine.token, body: { scope } })).status, 200)
    const body = { scope, refresh_token: mine.refresh_token }
    t.equal((await app.http('POST', '/auth/logout', { body })).status, 200)
  }
  t.strictSame(await alive(app, sessions), [false, true, true])
  t.strictSame(await events(app), before)
})

t.test('by a refresh token that has expired: 200, and nothing ends', async (t) => {
  const { app, sessions } = await prepare(t)
  await app.sql`update postern.sessions set refreshed_at = now() - interval '7 days'`
  const body = { scope: 'all', refresh_token: sessions[0].refresh_token }
  t.equal((await app.http('POST', '/auth/logout', { body })).status, 200)
  t.equal((await events(app)).length, 0)
})

t.test('by a refresh token that was just replaced: it logs out, since its answer may have been lost', async (t) => {
  const { app, sessions } = await prepare(t)
  const old = sessions[0].refresh_token
  await app.http('POST', '/auth/refresh', { body: { refresh_token: old } })
  t.equal((await app.http('POST', '/auth/logout', { body: { refresh_token: old } })).status, 200)
  t.strictSame(await alive(app, sessions), [false, true, true])
})

t.test(
  'by a refresh token that was replaced for good: reuse, so its session ends and no other, whatever the scope',
  async (t) => {
    const { app, sessions } = await prepare(t, { refreshReuseIntervalSeconds: 0 })
    const old = sessions[0].refresh_token
    await app.http('POST', '/auth/refresh', { body: { refresh_token: old } })
    const { status, body } = await app.http('POST', '/auth/logout', { body: { scope: 'all', refresh_token: old } })
    t.equal(status, 401)
    t.equal(body.code, 'refresh_token_reused')
    t.strictSame(await alive(app, sessions), [false, true, true])
    t.match((await events(app)).at(-1), { event_type: 'refresh_reuse_detected', user_id: sessions[0].user_id })
  }
)

t.test('neither bearer nor refresh token: 401 without an event', async (t) => {
  const { app } = await prepare(t)
  for (const body of [undefined, {}, { scope: 'all' }]) {
    const { status, body: answer } = await app.http('POST', '/auth/logout', { body })
    t.equal(status, 401)
    t.equal(answer.code, 'missing_token')
  }
  t.equal((await events(app)).length, 0)
})

t.test('a malformed or forged refresh token: 401, and an event whose repeats are counted', async (t) => {
  const { app, sessions } = await prepare(t)
  const elsewhere = await createApp(t, {
    config: { ...unlimited, authSecret: Buffer.from('the secret of some other service') }
  })
  const forged = (await newUser(elsewhere.http)).refresh_token
  for (const [token, reason] of [
    ['nonsense', 'refresh_malformed'],
    [forged, 'refresh_forged']
  ]) {
    const { status, body } = await app.http('POST', '/auth/logout', { body: { scope: 'all', refresh_token: token } })
    t.equal(status, 401)
    t.equal(body.code, 'invalid_refresh_token')
    t.match((await events(app)).at(-1), { event_type: 'token_rejected', success: false, failure_reason: reason })
  }
  t.strictSame(await alive(app, sessions), [true, true, true])
})

t.test('another scope, another type and an unknown field are 400, and nothing ends', async (t) => {
  const { app, sessions } = await prepare(t)
  for (const body of [{ scope: 'everyone' }, { scope: 1 }, { refresh_token: 1 }, { user_id: sessions[0].user_id }]) {
    const { status, body: answer } = await app.http('POST', '/auth/logout', { token: sessions[0].token, body })
    t.equal(status, 400)
    t.match(answer, { code: 'invalid_request', errors: [{ field: Object.keys(body)[0] }] })
  }
  t.strictSame(await alive(app, sessions), [true, true, true])
})

t.test('a logout whose event cannot be written ends nothing', async (t) => {
  const { app, sessions } = await prepare(t)
  await app.sql`alter table postern.auth_events add constraint no_more check (event_type <> 'logout') not valid`
  for (const scope of ['session', 'all', 'others']) {
    t.equal((await app.http('POST', '/auth/logout', { token: sessions[0].token, body: { scope } })).status, 503)
  }
  t.strictSame(await alive(app, sessions), [true, true, true])
})
