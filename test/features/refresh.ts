import t from 'tap'
import { createRefreshTokens } from '../../src/lib/refresh-token.js'
import { createApp, newUser, password } from '../fixtures/app.js'
import { type App, tryRefresh, unlimited } from '../fixtures/sessions.js'

async function refresh({ http }: App, refreshToken: unknown) {
  return await http('POST', '/auth/refresh', { body: { refresh_token: refreshToken } })
}

/** The newest event of a refresh, refused or not. */
async function lastEvent({ sql }: App) {
  const [event] = await sql`select event_type, success, failure_reason, user_id, email, session_id, details
    from postern.auth_events where event_type like 'refresh%' order by created_at desc, id desc limit 1`
  return event
}

async function countEvents({ sql }: App): Promise<number> {
  const [row] = await sql`select count(*)::int as count from postern.auth_events where event_type like 'refresh%'`
  return row?.count
}

/** All that a refused token must leave as it was. */
async function sessionRow({ sql }: App) {
  const [row] =
    await sql`select refresh_counter::int as counter, refreshed_at, ended_at is not null as ended from postern.sessions`
  return row
}

async function age({ sql }: App, column: 'refreshed_at' | 'expires_at', span: string) {
  await sql`update postern.sessions set ${sql(column)} = ${sql(column)} - ${span}::interval`
}

t.test('the current token gets its successor, a new access token, and one event', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const { status, body, headers } = await refresh(app, user.refresh_token)
  t.equal(status, 200)
  t.match(body, { user_id: user.user_id, email: user.email, token_type: 'Bearer', expires_in: 86_400 })
  t.match(body, { refresh_token: /^prt_/, refresh_expires_in: 604_800 })
  t.strictSame(Object.keys(body).sort(), Object.keys(user).sort())
  t.not(body.refresh_token, user.refresh_token)
  t.not(body.token, user.token)
  t.equal(headers['cache-control'], 'no-store')
  t.match(await sessionRow(app), { counter: 1, ended: false })
  t.match(await lastEvent(app), {
    event_type: 'refresh',
    success: true,
    user_id: user.user_id,
    email: user.email,
    details: null
  })
  t.equal(await countEvents(app), 1)
  t.equal((await app.http('GET', '/auth/me', { token: body.token })).status, 200)
  t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 200)
  t.equal((await refresh(app, body.refresh_token)).status, 200)
})

t.test(
  'one behind within the interval gets the same successor byte for byte, and the counter does not move',
  async (t) => {
    const app = await createApp(t, { config: unlimited })
    const user = await newUser(app.http)
    const first = await refresh(app, user.refresh_token)
    const before = await sessionRow(app)
    const second = await refresh(app, user.refresh_token)
    t.equal(second.status, 200)
    t.equal(second.body.refresh_token, first.body.refresh_token)
    t.not(second.body.token, first.body.token)
    t.equal((await app.http('GET', '/auth/me', { token: second.body.token })).status, 200)
    t.strictSame(await sessionRow(app), before)
    t.match(await lastEvent(app), { event_type: 'refresh', success: true, details: { repeat: true } })
    t.equal(await countEvents(app), 2)
  }
)

t.test('the interval counts from the rotation, and a repeat does not extend it', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  await refresh(app, user.refresh_token)
  await age(app, 'refreshed_at', '6 seconds')
  t.equal((await refresh(app, user.refresh_token)).status, 200)
  await age(app, 'refreshed_at', '5 seconds')
  t.equal((await refresh(app, user.refresh_token)).body.code, 'refresh_token_reused')
})

t.test("the interval is counted by the database's clock, not by ours", async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const first = await refresh(app, user.refresh_token)
  app.clock.advance('20m')
  t.equal((await refresh(app, user.refresh_token)).body.refresh_token, first.body.refresh_token)
})

t.test('one behind after the interval ends the session, and the answer and the event say reuse', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const next = await refresh(app, user.refresh_token)
  await age(app, 'refreshed_at', '11 seconds')
  const { status, body, headers } = await refresh(app, user.refresh_token)
  t.equal(status, 401)
  t.equal(body.code, 'refresh_token_reused')
  t.equal(headers['www-authenticate'], 'Bearer realm="postern"')
  t.match(await sessionRow(app), { counter: 1, ended: true })
  t.match(await lastEvent(app), {
    event_type: 'refresh_reuse_detected',
    success: false,
    failure_reason: 'refresh_reused',
    user_id: user.user_id,
    email: user.email,
    session_id: String
  })
  t.equal(await countEvents(app), 2)
  t.equal((await app.http('GET', '/auth/me', { token: next.body.token })).body.code, 'session_ended')
  t.equal((await refresh(app, next.body.refresh_token)).body.code, 'invalid_refresh_token')
  t.match(await lastEvent(app), { event_type: 'refresh', failure_reason: 'session_ended' })
})

t.test('two behind ends the session even within the interval', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const next = await refresh(app, user.refresh_token)
  await refresh(app, next.body.refresh_token)
  t.equal((await refresh(app, user.refresh_token)).body.code, 'refresh_token_reused')
  t.match(await sessionRow(app), { counter: 2, ended: true })
})

t.test('reuse ends its own session and no other', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const other = await app.http('POST', '/auth/login', { body: { email: user.email, password } })
  await refresh(app, user.refresh_token)
  await age(app, 'refreshed_at', '11 seconds')
  t.equal((await refresh(app, user.refresh_token)).status, 401)
  t.equal((await app.http('GET', '/auth/me', { token: other.body.token })).status, 200)
  t.equal((await refresh(app, other.body.refresh_token)).status, 200)
})

t.test('an interval of 0 is strict: the token before the current one is reuse at once', async (t) => {
  const app = await createApp(t, { config: { ...unlimited, refreshReuseIntervalSeconds: 0 } })
  const user = await newUser(app.http)
  t.equal((await refresh(app, user.refresh_token)).status, 200)
  t.equal((await refresh(app, user.refresh_token)).body.code, 'refresh_token_reused')
})

t.test('a malformed, forged or altered token is refused and its session is not touched', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const other = createRefreshTokens({ secret: Buffer.from('the secret of some other service, long enough') })
  const [{ id: sessionId }] = (await app.sql`select id from postern.sessions`) as unknown as [{ id: string }]
  const before = await sessionRow(app)
  const flip = (at: number) => {
    const bytes = Buffer.from(user.refresh_token.slice(4), 'base64url')
    bytes[at] = (bytes[at] as number) ^ 1
    return `prt_${bytes.toString('base64url')}`
  }
  for (const [token, reason] of [
    ['', 'refresh_malformed'],
    ['prt_', 'refresh_malformed'],
    [user.token, 'refresh_malformed'],
    [`${user.refresh_token}=`, 'refresh_malformed'],
    [`${user.refresh_token}\u0020`, 'refresh_malformed'],
    [flip(0), 'refresh_malformed'],
    [flip(5), 'refresh_forged'],
    [flip(24), 'refresh_forged'],
    [flip(56), 'refresh_forged'],
    [other.issue({ sessionId, counter: 0 }), 'refresh_forged']
  ]) {
    const { status, body } = await refresh(app, token)
    t.equal(status, 401)
    t.equal(body.code, 'invalid_refresh_token')
    t.match(await lastEvent(app), { event_type: 'refresh', success: false, failure_reason: reason, user_id: null })
  }
  t.strictSame(await sessionRow(app), before)
  t.equal(await countEvents(app), 10)
})

t.test('a token altered by any one bit is refused, and its session is not touched', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const before = await sessionRow(app)
  const bytes = Buffer.from(user.refresh_token.slice(4), 'base64url')
  const answers = await Promise.all(
    Array.from({ length: 8 * bytes.length }, (_, bit) => {
      const copy = Buffer.from(bytes)
      copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
      return tryRefresh(app, `prt_${copy.toString('base64url')}`)
    })
  )
  t.equal(answers.length, 456)
  t.strictSame([...new Set(answers)], ['invalid_refresh_token'])
  t.strictSame(await sessionRow(app), before)
  t.equal((await refresh(app, user.refresh_token)).status, 200)
})

t.test('a token ahead of the counter is refused and its session is not touched', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const { body } = await refresh(app, user.refresh_token)
  await app.sql`update postern.sessions set refresh_counter = 0`
  const before = await sessionRow(app)
  t.equal((await refresh(app, body.refresh_token)).body.code, 'invalid_refresh_token')
  t.match(await lastEvent(app), { failure_reason: 'refresh_forged', user_id: user.user_id })
  t.strictSame(await sessionRow(app), before)
  t.equal((await refresh(app, user.refresh_token)).status, 200)
})

t.test('what has come to an end is refused alike, and the event alone tells why', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const { sql } = app
  const user = await newUser(app.http)
  const bodies = []
  for (const [change, back, reason] of [
    [
      sql`update postern.sessions set refreshed_at = refreshed_at - interval '7 days'`,
      sql`update postern.sessions set refreshed_at = now()`,
      'refresh_expired'
    ],
    [
      sql`update postern.sessions set expires_at = now()`,
      sql`update postern.sessions set expires_at = now() + interval '1 day'`,
      'refresh_expired'
    ],
    [
      sql`update postern.users set is_active = false`,
      sql`update postern.users set is_active = true`,
      'inactive_account'
    ],
    [
      sql`update postern.sessions set ended_at = now()`,
      sql`update postern.sessions set ended_at = null`,
      'session_ended'
    ],
    [sql`delete from postern.sessions`, sql`select 1`, 'session_ended']
  ] as const) {
    await change
    const { status, body } = await refresh(app, user.refresh_token)
    t.equal(status, 401)
    t.equal(body.code, 'invalid_refresh_token')
    bodies.push({ ...body, request_id: '' })
    t.match(await lastEvent(app), { event_type: 'refresh', success: false, failure_reason: reason })
    await back
  }
  for (const body of bodies) t.strictSame(body, bodies[0])
})

t.test('a refresh does not outlive the end of its session, and says so in seconds', async (t) => {
  const app = await createApp(t, {
    config: { ...unlimited, sessionTtlSeconds: 1000, refreshTokenTtlSeconds: 3000, accessTokenTtlSeconds: 900 }
  })
  const user = await newUser(app.http)
  t.match(user, { refresh_expires_in: 1000, expires_in: 900 })
  await age(app, 'expires_at', '500 seconds')
  const { body } = await refresh(app, user.refresh_token)
  t.ok(body.refresh_expires_in <= 500 && body.refresh_expires_in > 400)
  t.ok(body.expires_in <= 500 && body.expires_in > 400)
})

t.test("the answer has the user's email as it is now", async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  await app.sql`update postern.users set email = 'renamed@example.com'`
  t.equal((await refresh(app, user.refresh_token)).body.email, 'renamed@example.com')
})

t.test('a refresh whose event cannot be written has no effect', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  await app.sql`alter table postern.auth_events add constraint no_more check (event_type <> 'refresh') not valid`
  const before = await sessionRow(app)
  const { status, body, headers } = await refresh(app, user.refresh_token)
  t.equal(status, 503)
  t.equal(body.code, 'unavailable')
  t.ok(Number(headers['retry-after']) >= 1)
  t.strictSame(await sessionRow(app), before)
  await app.sql`alter table postern.auth_events drop constraint no_more`
  t.equal((await refresh(app, user.refresh_token)).status, 200)
})

t.test('reuse whose event cannot be written ends nothing, and is found again', async (t) => {
  const app = await createApp(t, { config: { ...unlimited, refreshReuseIntervalSeconds: 0 } })
  const user = await newUser(app.http)
  await refresh(app, user.refresh_token)
  await app.sql`alter table postern.auth_events
    add constraint no_more check (event_type <> 'refresh_reuse_detected') not valid`
  t.equal((await refresh(app, user.refresh_token)).status, 503)
  t.match(await sessionRow(app), { ended: false })
  await app.sql`alter table postern.auth_events drop constraint no_more`
  t.equal((await refresh(app, user.refresh_token)).body.code, 'refresh_token_reused')
  t.match(await sessionRow(app), { ended: true })
})

t.test('a body without a refresh token, or with anything besides, is 400 and an event', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  for (const body of [
    {},
    { refresh_token: 1 },
    { refresh_token: null },
    { refresh_token: user.refresh_token, extra: 1 }
  ]) {
    const { status, body: answer } = await app.http('POST', '/auth/refresh', { body })
    t.equal(status, 400)
    t.equal(answer.code, 'invalid_request')
  }
  t.match(await lastEvent(app), { event_type: 'refresh', success: false, failure_reason: 'invalid_request' })
  t.match(await sessionRow(app), { counter: 0 })
})

t.test('refresh is limited by address', async (t) => {
  const app = await createApp(t, {
    config: { rateLimits: { ...unlimited.rateLimits, refresh: { max: 3, windowSeconds: 60 } } }
  })
  const answers = []
  for (let attempt = 0; attempt < 4; attempt += 1) answers.push((await refresh(app, 'prt_')).status)
  t.strictSame(answers, [401, 401, 401, 429])
})

t.test('the secret changes and nobody is logged out', async (t) => {
  const fresh = Buffer.from('the new secret of this very service')
  const before = await createApp(t, { config: unlimited })
  const old = before.config.authSecret
  const announced = await createApp(t, { config: { ...before.config, authSecretPrevious: fresh } })
  const swapped = await createApp(t, { config: { ...before.config, authSecret: fresh, authSecretPrevious: old } })
  const after = await createApp(t, { config: { ...before.config, authSecret: fresh } })
  const { body: user } = { body: await newUser(before.http) }
  const first = await refresh(announced, user.refresh_token)
  const second = await refresh(swapped, first.body.refresh_token)
  t.equal(second.status, 200)
  const third = await refresh(announced, second.body.refresh_token)
  t.equal(third.status, 200)
  const fourth = await refresh(swapped, third.body.refresh_token)
  t.equal((await refresh(after, fourth.body.refresh_token)).status, 200)
})

t.test('while the secret changes, a repeat at another instance gets the same successor byte for byte', async (t) => {
  const fresh = Buffer.from('the new secret of this very service')
  const before = await createApp(t, { config: unlimited })
  const old = before.config.authSecret
  const announced = await createApp(t, { config: { ...before.config, authSecretPrevious: fresh } })
  const swapped = await createApp(t, { config: { ...before.config, authSecret: fresh, authSecretPrevious: old } })
  for (const [one, other] of [
    [announced, swapped],
    [swapped, announced]
  ] as const) {
    const user = await newUser(before.http)
    const first = await refresh(one, user.refresh_token)
    t.equal((await refresh(other, user.refresh_token)).body.refresh_token, first.body.refresh_token)
  }
})

t.test('the database holds no refresh token and nothing that makes one', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const next = await refresh(app, user.refresh_token)
  const mac = Buffer.from(next.body.refresh_token.slice(4), 'base64url').subarray(25)
  const rows =
    await app.sql`select to_jsonb(s)::text as text from postern.sessions s union all select to_jsonb(e)::text from postern.auth_events e`
  const text = rows.map((row) => row.text).join('\n')
  for (const secret of [
    next.body.refresh_token.slice(4),
    mac.toString('hex'),
    mac.toString('base64url'),
    app.config.authSecret?.toString()
  ]) {
    t.notOk(text.includes(String(secret)))
  }
})
