import t from 'tap'
import { createApp, newUser, password } from '../fixtures/app.js'
import { type App, client, startSession, unlimited } from '../fixtures/sessions.js'

const stranger = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'

type User = Awaited<ReturnType<typeof newUser>>

async function login({ http }: App, { email }: User, headers: Record<string, string> = {}): Promise<User> {
  return (await http('POST', '/auth/login', { body: { email, password }, headers })).body
}

async function statusOf({ http }: App, token: string): Promise<number> {
  return (await http('GET', '/auth/me', { token })).status
}

async function eventsOf({ sql }: App, type: string) {
  return await sql`select success, failure_reason, user_id, email, session_id, details
    from postern.auth_events where event_type = ${type} order by created_at, id`
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await isTrue()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('it did not come true within 10 s')
}

t.test('every login begins a session under a new id, and no id of a client is taken over', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  await login(app, user)
  const { status } = await app.http('POST', '/auth/login', {
    body: { email: user.email, password, session_id: stranger }
  })
  t.equal(status, 400)
  const rows = await app.sql`select distinct id from postern.sessions`
  t.equal(rows.length, 2)
  for (const { id } of rows) t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
})

t.test('the list has the live sessions of the user alone, newest first, with the current one marked', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  await newUser(app.http)
  const second = await login(app, user, { 'user-agent': 'second\u001b[31m' })
  const third = await login(app, user)
  await app.http('POST', '/auth/logout', { token: third.token })
  const { status, body, raw } = await app.http('GET', `/auth/users/${user.user_id}/sessions`, { token: second.token })
  t.equal(status, 200)
  t.equal(body.sessions.length, 2)
  t.strictSame(Object.keys(body.sessions[0]), [
    'session_id',
    'created_at',
    'last_seen_at',
    'expires_at',
    'ip_address',
    'user_agent',
    'current'
  ])
  t.match(body.sessions, [
    { current: true, ip_address: '127.0.0.1', user_agent: 'second\\u001b[31m' },
    { current: false, created_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ }
  ])
  t.ok(body.sessions[0].created_at >= body.sessions[1].created_at)
  t.notMatch(raw, /prt_|counter/)
})

t.test('a session that has expired, or whose tokens all have, is not in the list', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const expired = await startSession(app, user)
  const idle = await startSession(app, user)
  await app.sql`update postern.sessions set expires_at = now() where id = ${expired.sessionId}`
  await app.sql`update postern.sessions set refreshed_at = now() - interval '7 days' where id = ${idle.sessionId}`
  const { body } = await app.http('GET', `/auth/users/${user.user_id}/sessions`, { token: user.token })
  t.strictSame(
    body.sessions.map(({ current }: { current: boolean }) => current),
    [true]
  )
})

t.test("another user's sessions are neither listed nor ended", async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const other = await newUser(app.http)
  const theirs = await startSession(app, other)
  const path = `/auth/users/${other.user_id}/sessions`
  t.equal((await app.http('GET', path, { token: user.token })).body.code, 'not_your_resource')
  t.equal(
    (await app.http('DELETE', `${path}/${theirs.sessionId}`, { token: user.token })).body.code,
    'not_your_resource'
  )
  t.equal((await app.http('GET', path)).body.code, 'missing_token')
  t.equal(await statusOf(app, theirs.token), 200)
})

t.test('a session is ended from the list: its tokens are refused at once, the others are not', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const other = await startSession(app, user)
  const path = `/auth/users/${user.user_id.toUpperCase()}/sessions/${other.sessionId.toUpperCase()}`
  const { status, raw } = await app.http('DELETE', path, { token: user.token })
  t.equal(status, 204)
  t.equal(raw, '')
  t.equal(await statusOf(app, other.token), 401)
  t.equal((await app.http('POST', '/auth/refresh', { body: { refresh_token: other.refreshToken } })).status, 401)
  t.equal(await statusOf(app, user.token), 200)
  const owner = { user_id: user.user_id, email: user.email, session_id: other.sessionId }
  t.match([...(await eventsOf(app, 'session_revoked'))], [{ success: true, ...owner, details: { by: 'user' } }])
})

t.test("an unknown session, another user's, and one that is over are the same 404, without an event", async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const theirs = await startSession(app, await newUser(app.http))
  const over = await startSession(app, user)
  await app.sql`update postern.sessions set ended_at = now() where id = ${over.sessionId}`
  const answers = []
  for (const id of [stranger, theirs.sessionId, over.sessionId]) {
    const path = `/auth/users/${user.user_id}/sessions/${id}`
    const { status, body } = await app.http('DELETE', path, { token: user.token })
    t.equal(status, 404)
    answers.push({ ...body, request_id: '' })
  }
  t.match(answers[0], { code: 'not_found' })
  t.strictSame(answers[1], answers[0])
  t.strictSame(answers[2], answers[0])
  t.equal(await statusOf(app, theirs.token), 200)
  t.equal((await eventsOf(app, 'session_revoked')).length, 0)
})

t.test('a session id that is no UUID is 400', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const { status, body } = await app.http('DELETE', `/auth/users/${user.user_id}/sessions/1`, { token: user.token })
  t.equal(status, 400)
  t.match(body, { code: 'invalid_request', errors: [{ field: 'session_id' }] })
})

t.test('a session whose end cannot be recorded does not end', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const other = await startSession(app, user)
  await app.sql`alter table postern.auth_events add constraint no_more check (event_type <> 'session_revoked') not valid`
  const path = `/auth/users/${user.user_id}/sessions/${other.sessionId}`
  t.equal((await app.http('DELETE', path, { token: user.token })).status, 503)
  t.equal(await statusOf(app, other.token), 200)
})

t.test('a user has at most 100 live sessions: the oldest makes room, with an event', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  for (let count = 1; count < 100; count += 1) await startSession(app, user)
  t.equal((await eventsOf(app, 'session_revoked')).length, 0)
  t.equal(await statusOf(app, user.token), 200)
  await login(app, user)
  t.equal(await statusOf(app, user.token), 401)
  t.match(
    [...(await eventsOf(app, 'session_revoked'))],
    [{ success: true, user_id: user.user_id, details: { by: 'limit' } }]
  )
})

t.test('parallel logins at the limit never exceed it', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  for (let count = 1; count < 98; count += 1) await startSession(app, user)
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(Array.from({ length: 20 }, () => startSession(app, user)))
    const [row] = await app.sql`select count(*)::int as live from postern.sessions where ended_at is null`
    t.equal(row?.live, 100)
  }
  t.equal((await eventsOf(app, 'session_revoked')).length, 98)
})

t.test('100 concurrent checks share a few queries', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  await statusOf(app, user.token)
  const before = app.app.sessions.checkStats()
  const answers = await Promise.all(Array.from({ length: 100 }, () => statusOf(app, user.token)))
  const after = app.app.sessions.checkStats()
  t.ok(answers.every((status) => status === 200))
  t.equal(after.checks - before.checks, 100)
  t.ok(after.queries - before.queries <= 10, `${after.queries - before.queries} queries`)
  t.comment(`100 concurrent requests took ${after.queries - before.queries} queries`)
})

t.test('a check never joins a query that was sent before it arrived', async (t) => {
  const { app, sql, http } = await createApp(t, { config: unlimited })
  const user = await newUser(http)
  const claims = await app.accessTokens.check(user.token)
  const before = app.sessions.checkStats().queries
  const sent = async () => app.sessions.checkStats().queries - before
  let early: Promise<unknown> = Promise.resolve()
  let late: Promise<unknown> = Promise.resolve()
  await sql.begin(async (tx) => {
    // The first query waits for this lock, on its way.
    await tx`lock table postern.sessions in access exclusive mode`
    early = app.sessions.check(claims)
    await until(async () => (await sent()) === 1)
    late = app.sessions.check(claims)
    await until(async () => (await sent()) === 2)
  })
  await Promise.all([early, late])
})

t.test('checks of several sessions in one query are answered each for itself', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const other = await newUser(app.http)
  const over = await startSession(app, user)
  await app.app.sessions.revoke(client, { userId: user.user_id, email: user.email, sessionId: over.sessionId })
  const claims = await Promise.all(
    [user.token, other.token, over.token].map((token) => app.app.accessTokens.check(token))
  )
  const [mine, theirs, refused] = await Promise.allSettled(claims.map((each) => app.app.sessions.check(each)))
  t.match(mine, { value: { userId: user.user_id, email: user.email, role: 'user' } })
  t.match(theirs, { value: { userId: other.user_id, email: other.email } })
  t.match(refused, { reason: { code: 'session_ended' } })
})

const ENDINGS: Record<string, ({ sql }: App, userId: string) => Promise<unknown>> = {
  'an ended session': ({ sql }, id) => sql`update postern.sessions set ended_at = now() where user_id = ${id}`,
  'an expired session': ({ sql }, id) => sql`update postern.sessions set expires_at = now() where user_id = ${id}`,
  'an inactive user': ({ sql }, id) => sql`update postern.users set is_active = false where id = ${id}`,
  'a deleted user': ({ sql }, id) => sql`delete from postern.users where id = ${id}`
}

for (const [what, end] of Object.entries(ENDINGS)) {
  t.test(`a token of ${what} is 401, and its event says whose it was`, async (t) => {
    const app = await createApp(t, { config: unlimited })
    const user = await newUser(app.http)
    await end(app, user.user_id)
    const { status, body, headers } = await app.http('GET', '/auth/me', { token: user.token })
    t.equal(status, 401)
    t.equal(body.code, 'session_ended')
    t.match(headers['www-authenticate'], /^Bearer realm="postern", error="invalid_token"/)
    const owner = { user_id: user.user_id, email: user.email, session_id: String }
    t.match(
      [...(await eventsOf(app, 'token_rejected'))],
      [{ success: false, failure_reason: 'session_ended', ...owner }]
    )
  })
}

t.test('a session does not vouch for another user', async (t) => {
  const { app, http } = await createApp(t, { config: unlimited })
  const user = await newUser(http)
  const other = await newUser(http)
  const [mine, theirs] = await Promise.all([user.token, other.token].map((token) => app.accessTokens.check(token)))
  if (mine === undefined || theirs === undefined) throw new Error('a good token was refused')
  await t.rejects(app.sessions.check({ ...mine, sessionId: theirs.sessionId }), { code: 'session_ended' })
})

t.test('the check answers with the role and the email of this moment, not with those of the token', async (t) => {
  const { app, http, sql } = await createApp(t, { config: unlimited })
  const user = await newUser(http)
  const claims = await app.accessTokens.check(user.token)
  await sql`update postern.users set role = 'admin', email = 'now@example.com'`
  t.match(await app.sessions.check(claims), { role: 'admin', email: 'now@example.com' })
})

t.test(
  'after a logout no instance accepts the token: ten thousand checks at two instances, none is good',
  async (t) => {
    const one = await createApp(t, { config: unlimited })
    const two = await createApp(t, { config: one.config })
    const user = await newUser(one.http)
    let accepted = 0
    let refused = 0
    const ask = async ({ app }: App, claims: Awaited<ReturnType<App['app']['accessTokens']['check']>>) => {
      await app.sessions.check(claims).then(
        () => (accepted += 1),
        () => (refused += 1)
      )
    }
    for (let round = 0; round < 100; round += 1) {
      const [here, there] = round % 2 === 0 ? [one, two] : [two, one]
      const session = await startSession(here, user)
      const claims = await there.app.accessTokens.check(session.token)
      const meanwhile = Array.from({ length: 20 }, () => there.app.sessions.check(claims).catch(() => {}))
      t.equal((await here.http('POST', '/auth/logout', { token: session.token })).status, 200)
      await Promise.all(Array.from({ length: 100 }, (_, index) => ask(index % 2 === 0 ? here : there, claims)))
      t.equal(await statusOf(there, session.token), 401)
      await Promise.all(meanwhile)
    }
    t.strictSame({ accepted, refused }, { accepted: 0, refused: 10_000 })
  }
)

t.test('a session in use is noted as seen, at most once a minute', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const seenAt = async () => (await app.sql`select last_seen_at from postern.sessions`)[0]?.last_seen_at.getTime()
  const fresh = await seenAt()
  await statusOf(app, user.token)
  await app.sql`update postern.sessions set last_seen_at = last_seen_at - interval '30 seconds'`
  const halfAMinuteOld = await seenAt()
  await statusOf(app, user.token)
  await new Promise((resolve) => setTimeout(resolve, 1300))
  t.equal(await seenAt(), halfAMinuteOld)
  await app.sql`update postern.sessions set last_seen_at = last_seen_at - interval '31 seconds'`
  await statusOf(app, user.token)
  await until(async () => (await seenAt()) >= fresh)
  t.pass('it was noted')
})

t.test('a session that somebody has locked holds up neither its checks nor the noting of others', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const other = await startSession(app, user)
  await app.sql`update postern.sessions set last_seen_at = now() - interval '2 minutes'`
  await app.sql.begin(async (tx) => {
    await tx`select id from postern.sessions where id <> ${other.sessionId} for update`
    t.equal(await statusOf(app, user.token), 200)
    t.equal(await statusOf(app, other.token), 200)
    await until(async () => {
      const [row] = await app.sql`select last_seen_at > now() - interval '1 minute' as is_noted
        from postern.sessions where id = ${other.sessionId}`
      return row?.is_noted
    })
    t.equal(await statusOf(app, user.token), 200)
  })
})

t.test('no check fails when what was seen cannot be noted', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  await app.sql`update postern.sessions set last_seen_at = now() - interval '2 minutes'`
  await app.sql`alter table postern.sessions add constraint unseen check (last_seen_at < now() - interval '1 minute') not valid`
  t.equal(await statusOf(app, user.token), 200)
  await new Promise((resolve) => setTimeout(resolve, 1300))
  t.equal(await statusOf(app, user.token), 200)
})

t.test('ending all sessions of a user counts those that lived', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const other = await newUser(app.http)
  const sessions = [await startSession(app, user), await startSession(app, user)]
  await app.sql`update postern.sessions set expires_at = now() where id = ${sessions[1]?.sessionId ?? ''}`
  t.equal(await app.app.db.transaction((tx) => app.app.sessions.endAll(tx, user.user_id)), 2)
  t.equal(await statusOf(app, user.token), 401)
  t.equal(await statusOf(app, other.token), 200)
  const [row] =
    await app.sql`select count(*)::int as open from postern.sessions where user_id = ${user.user_id} and ended_at is null`
  t.equal(row?.open, 0)
})

t.test('a sweep deletes what has been over for a day, in bites, and waits for no lock', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  const insert = (count: number, ended: string | null, expires: string) => app.sql`
    insert into postern.sessions (id, user_id, expires_at, ended_at)
    select gen_random_uuid(), ${user.user_id}, now() + ${expires}::interval, now() + ${ended}::interval
    from generate_series(1, ${count}::int)`
  await insert(1200, '-25 hours', '20 days')
  await insert(600, null, '-25 hours')
  await insert(3, '-23 hours', '20 days')
  await insert(3, null, '-23 hours')
  const busy = await app.sql`select id from postern.sessions where ended_at < now() - interval '1 day' limit 1`
  await app.sql.begin(async (tx) => {
    await tx`select id from postern.sessions where id = ${busy[0]?.id} for update`
    t.equal(await app.app.sessions.sweep(), 1799)
  })
  t.equal(await app.app.sessions.sweep(), 1)
  const [row] = await app.sql`select count(*)::int as left from postern.sessions`
  t.equal(row?.left, 7)
  t.equal(await statusOf(app, user.token), 200)
})
