import { randomUUID } from 'node:crypto'
import t from 'tap'
import { listNewestUsers, listUsersByEmail } from '../../src/features/users/store.js'
import { type AdminApp, createAdminApp, newAdmin, trail } from '../fixtures/admin.js'
import { createApp, newUser, password } from '../fixtures/app.js'
import { indexesOf, planOf } from '../fixtures/plan.js'

const ROUTES: [string, string, object?][] = [
  ['GET', '/users'],
  ['GET', `/users/${randomUUID()}`],
  ['PATCH', `/users/${randomUUID()}`, { role: 'admin' }],
  ['DELETE', `/users/${randomUUID()}/sessions`],
  ['DELETE', `/users/${randomUUID()}/sessions/${randomUUID()}`]
]

t.test('every admin call needs the bearer of an admin, as the database has it at that moment', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  for (const [method, path, body] of ROUTES) {
    const ask = (token?: string) =>
      app.http(method, `/admin/api${path}`, { ...(body && { body }), ...(token !== undefined && { token }) })
    t.match(await ask(), { status: 401, body: { code: 'missing_token' } }, `${method} ${path}`)
    t.match(await ask('x.y.z'), { status: 401, body: { code: 'invalid_token' } })
    t.match(await ask(user.token), { status: 403, body: { code: 'admin_required' } })
  }
  const denied = (await trail(app)).filter((row) => row.event_type === 'admin_denied')
  t.equal(denied.length, ROUTES.length)
  for (const row of denied) {
    t.match(row, { user_id: user.user_id, email: user.email, success: false, failure_reason: 'not_admin' })
  }
  t.equal((await app.call('GET', '/users')).status, 200)
  await app.sql`update postern.users set role = 'user' where id = ${app.admin.user_id}`
  t.match(await app.call('GET', '/users'), { status: 403, body: { code: 'admin_required' } })
})

t.test('a route for admins that does not say what its event is called stops the boot', async (t) => {
  const { app } = await createApp(t)
  t.ok(app.hasRoute({ method: 'GET', url: '/admin/api/users' }))
  const { buildApp } = await import('../../src/app.js')
  const { testConfig } = await import('../fixtures/app.js')
  const other = await buildApp({ config: testConfig('postgres://nobody@127.0.0.1:1/none') })
  t.teardown(() => other.close())
  t.throws(
    () =>
      other.get(
        '/admin/api/more',
        { config: { access: 'admin' }, schema: { response: { 200: { type: 'null' } } } },
        async () => null
      ),
    /config\.action/
  )
})

t.test('users are listed newest first, and found by the beginning of their email or by id', async (t) => {
  const app = await createAdminApp(t)
  const one = await newUser(app.http)
  const emails = ['ada@example.com', 'ada@example.org', 'adam@example.com', 'a_a@example.com', 'b%b@example.com']
  for (const email of emails) await app.http('POST', '/auth/signup', { body: { email, password } })
  const list = async (query = '') => (await app.call('GET', `/users${query}`)).body
  const emailsOf = ({ users }: { users: { email: string }[] }) => users.map(({ email }) => email)

  const { users, next_cursor: end } = await list()
  t.equal(end, null)
  t.strictSame(emailsOf({ users }), [...emails.toReversed(), one.email, app.admin.email])
  t.strictSame(Object.keys(users[0]), ['user_id', 'email', 'role', 'is_active', 'created_at', 'last_login'])
  t.equal(users.at(-1).role, 'admin')
  t.strictSame(emailsOf(await list('?query=ada')), ['ada@example.com', 'ada@example.org', 'adam@example.com'])
  t.strictSame(emailsOf(await list('?query=ADA%40')), ['ada@example.com', 'ada@example.org'])
  t.strictSame(emailsOf(await list('?query=a_')), ['a_a@example.com'], 'an underscore is no wildcard')
  t.strictSame(emailsOf(await list('?query=b%25')), ['b%b@example.com'], 'nor is a percent sign')
  t.strictSame(emailsOf(await list('?query=%25')), [])
  t.strictSame(emailsOf(await list('?query=%5C')), [])
  t.strictSame(emailsOf(await list(`?query=${one.user_id.toUpperCase()}`)), [one.email])
  t.strictSame(emailsOf(await list(`?query=${randomUUID()}`)), [])
})

t.test('pages of users follow one another without a gap or a repeat', async (t) => {
  const app = await createAdminApp(t)
  for (let n = 0; n < 8; n += 1) await newUser(app.http)
  for (const query of ['', '&query=user-']) {
    const whole = (await app.call('GET', `/users?limit=100${query}`)).body.users
    t.equal(whole.length, 9)
    for (const limit of [1, 4, 9]) {
      const seen: unknown[] = []
      let cursor = ''
      do {
        const { status, body } = await app.call('GET', `/users?limit=${limit}${query}${cursor}`)
        if (status !== 200 || body.users.length === 0) t.fail(`a page of ${limit} is ${status} or empty`)
        seen.push(...body.users)
        cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`
      } while (cursor !== '')
      t.strictSame(seen, whole)
    }
  }
})

t.test('a search that could be read in two ways is refused', async (t) => {
  const app = await createAdminApp(t)
  for (let n = 0; n < 3; n += 1) await newUser(app.http)
  const { next_cursor: byId } = (await app.call('GET', '/users?limit=1')).body
  const { next_cursor: byEmail } = (await app.call('GET', '/users?limit=1&query=user-')).body
  t.equal((await app.call('GET', `/users?limit=1&cursor=${byId}`)).status, 200)
  const broken = [
    'query=',
    `query=${'a'.repeat(255)}`,
    'limit=0',
    'limit=101',
    'limit=1e1',
    'offset=1',
    'query=a&query=b',
    'query=%00',
    `cursor=${byEmail}`,
    `query=user-&cursor=${byId}`,
    `cursor=${byId}A`,
    'cursor=AAAA',
    `cursor=${Buffer.from('id:x').toString('base64url')}`
  ]
  for (const query of broken) {
    t.match(await app.call('GET', `/users?${query}`), { status: 400, body: { code: 'invalid_request' } }, query)
  }
})

t.test('one user comes with live sessions and the newest events, and never with a hash or a counter', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  await app.http('POST', '/auth/login', { body: { email: user.email, password: 'Wrong1horse' } })
  const ended = (await app.http('POST', '/auth/login', { body: { email: user.email, password } })).body
  await app.http('POST', '/auth/logout', { token: ended.token })
  const { status, body, raw } = await app.call('GET', `/users/${user.user_id.toUpperCase()}`)
  t.equal(status, 200)
  t.match(body.user, { user_id: user.user_id, email: user.email, role: 'user', is_active: true })
  t.equal(body.sessions.length, 1)
  t.strictSame(Object.keys(body.sessions[0]), [
    'session_id',
    'created_at',
    'last_seen_at',
    'refreshed_at',
    'expires_at',
    'ip_address',
    'user_agent'
  ])
  t.strictSame(
    body.events.map((event: { event_type: string }) => event.event_type),
    ['logout', 'login', 'login', 'signup']
  )
  t.match(body.events[1], { user_id: user.user_id, email: user.email, request_id: /./ })
  t.notMatch(raw, /hash|\$2b|counter|key_id/i)
  t.match(await app.call('GET', `/users/${randomUUID()}`), { status: 404, body: { code: 'not_found' } })
  t.match(await app.call('GET', '/users/none'), { status: 400, body: { code: 'invalid_request' } })
})

t.test('reading is an event too: who, what, whom, and not what was typed into the search', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  await app.call('GET', '/users?query=canary&limit=5')
  await app.call('GET', `/users/${user.user_id.toUpperCase()}`)
  await app.call('GET', '/users?limit=0')
  const rows = await trail(app)
  t.match(
    rows.map(({ event_type, success, user_id, email, details }) => ({ event_type, success, user_id, email, details })),
    [
      { event_type: 'admin_action', success: true, user_id: app.admin.user_id, email: app.admin.email },
      { event_type: 'admin_action', details: { action: 'users.get', target_user_id: user.user_id } }
    ]
  )
  t.strictSame(rows[0]?.details, { action: 'users.list', filters: ['query', 'limit'] })
  t.equal(rows.length, 2, 'a request that is not valid is none')
  t.ok(rows.every(({ session_id, ip_address, request_id }) => session_id && ip_address && request_id))
})

t.test('an admin call that cannot be recorded is 503 and has no effect', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  const partitions =
    await app.sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'postern.auth_events'::regclass`
  for (const { name } of partitions) await app.sql.unsafe(`drop table ${name}`)
  t.equal((await app.call('GET', '/users')).status, 503)
  t.equal((await app.call('PATCH', `/users/${user.user_id}`, { body: { is_active: false } })).status, 503)
  t.equal((await app.call('DELETE', `/users/${user.user_id}/sessions`)).status, 503)
  t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 200)
})

t.test('switching a user off ends every session at once, and refuses login, access and refresh alike', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  const second = (await app.http('POST', '/auth/login', { body: { email: user.email, password } })).body
  const { status, body } = await app.call('PATCH', `/users/${user.user_id}`, { body: { is_active: false } })
  t.match({ status, body }, { status: 200, body: { user_id: user.user_id, is_active: false, role: 'user' } })
  for (const { token, refresh_token } of [user, second]) {
    t.equal((await app.http('GET', '/auth/me', { token })).status, 401)
    t.equal((await app.http('POST', '/auth/refresh', { body: { refresh_token } })).status, 401)
  }
  const login = () => app.http('POST', '/auth/login', { body: { email: user.email, password } })
  t.match(await login(), { status: 401, body: { code: 'invalid_credentials' } })
  const [row] = (await trail(app)).filter(({ event_type }) => event_type === 'user_updated')
  t.match(row, { user_id: user.user_id, email: user.email, success: true, failure_reason: null })
  t.strictSame(row?.details, {
    by: 'admin',
    actor_email: app.admin.email,
    actor_user_id: app.admin.user_id,
    changes: { is_active: false },
    sessions_ended: 2
  })
  t.equal((await app.call('PATCH', `/users/${user.user_id}`, { body: { is_active: true } })).body.is_active, true)
  t.equal((await login()).status, 200)
  t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 401, 'an ended session stays ended')
})

t.test('a user sees that an operator changed the account, and not which one or from where', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  await app.call('PATCH', `/users/${user.user_id}`, { body: { role: 'admin' } })
  const { body, raw } = await app.http('GET', `/auth/users/${user.user_id}/events`, { token: user.token })
  t.match(body.events[0], { event_type: 'user_updated', ip_address: null, user_agent: null })
  t.notMatch(raw, app.admin.user_id)
  t.notMatch(raw, app.admin.email)
})

t.test('ending the sessions of a user is one event with their number; an unknown user is 404', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  await app.http('POST', '/auth/login', { body: { email: user.email, password } })
  const answer = await app.call('DELETE', `/users/${user.user_id}/sessions`)
  t.match({ status: answer.status, raw: answer.raw }, { status: 204, raw: '' })
  t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 401)
  t.equal((await app.call('DELETE', `/users/${user.user_id}/sessions`)).status, 204)
  t.equal((await app.call('DELETE', `/users/${randomUUID()}/sessions`)).status, 404)
  const rows = await trail(app)
  t.match(rows, [
    {
      event_type: 'session_revoked',
      user_id: user.user_id,
      success: true,
      details: { by: 'admin', sessions_ended: 2 }
    },
    { event_type: 'session_revoked', details: { sessions_ended: 0, actor_user_id: app.admin.user_id } },
    { event_type: 'session_revoked', success: false, failure_reason: 'not_found' }
  ])
})

t.test("one session of a user is ended without the others, and only by that user's id", async (t) => {
  const app = await createAdminApp(t)
  const [user, other] = [await newUser(app.http), await newUser(app.http)]
  await app.http('POST', '/auth/login', { body: { email: user.email, password } })
  const { sessions } = (await app.call('GET', `/users/${user.user_id}`)).body
  const first = sessions.at(-1).session_id
  const end = (id: string, session: string) => app.call('DELETE', `/users/${id}/sessions/${session}`)
  t.match(await end(other.user_id, first), { status: 404, body: { code: 'not_found' } })
  t.match(await end(randomUUID(), first), { status: 404 })
  t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 200)
  t.match(await end(user.user_id.toUpperCase(), first.toUpperCase()), { status: 204, raw: '' })
  t.match(await app.http('GET', '/auth/me', { token: user.token }), { status: 401, body: { code: 'session_ended' } })
  t.equal((await app.http('POST', '/auth/refresh', { body: { refresh_token: user.refresh_token } })).status, 401)
  t.equal((await app.call('GET', `/users/${user.user_id}`)).body.sessions.length, 1)
  t.match(await end(user.user_id, first), { status: 404 }, 'it has ended')
  t.match(await end(user.user_id, 'none'), { status: 400, body: { code: 'invalid_request' } })
  const rows = (await trail(app)).filter(({ event_type }) => event_type === 'session_revoked')
  t.match(rows, [
    { success: false, failure_reason: 'not_found', user_id: other.user_id, session_id: first },
    { success: false, failure_reason: 'not_found' },
    {
      success: true,
      user_id: user.user_id,
      email: user.email,
      session_id: first,
      details: { by: 'admin', actor_user_id: app.admin.user_id, sessions_ended: 1 }
    },
    { success: false, failure_reason: 'not_found', user_id: user.user_id }
  ])
})

t.test('only role and is_active can be written, with the right types, and at least one of them', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  const [before] = await app.sql`select * from postern.users where id = ${user.user_id}`
  const bodies = [
    {},
    { is_active: 'false' },
    { is_active: 0 },
    { is_active: null },
    { role: 'root' },
    { role: ['admin'] },
    { role: 'admin', password: 'Correct2horse' },
    { role: 'admin', password_hash: 'x' },
    { role: 'admin', email: 'eve@example.com' },
    { role: 'admin', user_id: app.admin.user_id },
    { role: 'admin', created_at: '2026-01-01T00:00:00.000Z' },
    { role: 'admin', is_admin: true }
  ]
  for (const body of bodies) {
    const answer = await app.call('PATCH', `/users/${user.user_id}`, { body })
    t.match(answer, { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(body))
  }
  const [after] = await app.sql`select * from postern.users where id = ${user.user_id}`
  t.strictSame(after, before)
  t.match(await app.call('PATCH', `/users/${randomUUID()}`, { body: { role: 'user' } }), { status: 404 })
})

t.test('the last active admin can be neither demoted nor switched off, and the attempt is on record', async (t) => {
  const app = await createAdminApp(t)
  const off = await newAdmin(app)
  const self = `/users/${app.admin.user_id}`
  t.equal((await app.call('PATCH', `/users/${off.user_id}`, { body: { is_active: false } })).status, 200)
  for (const body of [{ role: 'user' }, { is_active: false }, { role: 'user', is_active: false }]) {
    t.match(await app.call('PATCH', self, { body }), { status: 409, body: { code: 'last_admin' } })
  }
  t.equal((await app.call('PATCH', self, { body: { role: 'admin', is_active: true } })).status, 200)
  const refused = (await trail(app)).filter(({ failure_reason }) => failure_reason === 'last_admin')
  t.equal(refused.length, 3)
  t.match(refused[0], { event_type: 'user_updated', user_id: app.admin.user_id, details: { by: 'admin' } })
  t.equal((await app.call('PATCH', `/users/${off.user_id}`, { body: { is_active: true } })).status, 200)
  t.equal((await app.call('PATCH', self, { body: { role: 'user' } })).status, 200)
  t.equal((await app.call('GET', '/users')).status, 403)
})

t.test('of two admins who demote each other at once exactly one succeeds', async (t) => {
  const app = await createAdminApp(t)
  const demote = (by: { token: string }, whom: { user_id: string }) =>
    app.http('PATCH', `/admin/api/users/${whom.user_id}`, { token: by.token, body: { role: 'user' } })
  for (let round = 0; round < 10; round += 1) {
    await app.sql`update postern.users set role = 'user'`
    const [one, two] = [await newAdmin(app), await newAdmin(app)]
    const answers = await Promise.all([demote(one, two), demote(two, one)])
    t.strictSame(answers.map(({ status }) => status).sort(), [200, 409])
    const [row] = await app.sql`select count(*)::int as admins from postern.users where role = 'admin'`
    t.equal(row?.admins, 1)
  }
})

/** Every refresh token and login that comes out of `work` while the user is switched off. */
async function livingTokens(app: AdminApp, tokens: { token: string; refresh_token: string }[]): Promise<number> {
  let living = 0
  for (const { token, refresh_token } of tokens) {
    const access = await app.http('GET', '/auth/me', { token })
    const refresh = await app.http('POST', '/auth/refresh', { body: { refresh_token } })
    if (access.status === 200 || refresh.status === 200) living += 1
  }
  return living
}

t.test('logins and refreshes that race with switching off leave no live token behind', async (t) => {
  const app = await createAdminApp(t)
  let issued = 0
  for (let round = 0; round < 8; round += 1) {
    const user = await newUser(app.http)
    const login = () => app.http('POST', '/auth/login', { body: { email: user.email, password } })
    const sessions = (await Promise.all([login(), login(), login()])).map(({ body }) => body)
    const refresh = ({ refresh_token }: { refresh_token: string }) =>
      app.http('POST', '/auth/refresh', { body: { refresh_token } })
    const [off, ...answers] = await Promise.all([
      app.call('PATCH', `/users/${user.user_id}`, { body: { is_active: false } }),
      ...sessions.map(refresh),
      login(),
      login(),
      login()
    ])
    t.equal(off.status, 200)
    const good = answers.filter(({ status }) => status === 200).map(({ body }) => body)
    issued += good.length
    t.equal(await livingTokens(app, [user, ...sessions, ...good]), 0)
    const [row] =
      await app.sql`select count(*)::int as live from postern.sessions where user_id = ${user.user_id} and ended_at is null`
    t.equal(row?.live, 0)
  }
  t.ok(issued > 0, 'some of them came first')
})

t.test('the lists of users read their rows in the order of an index', async (t) => {
  const app = await createAdminApp(t)
  await app.sql`insert into postern.users (id, email, password_hash)
    select gen_random_uuid(), 'user-' || md5(n::text) || '@example.com', 'x' from generate_series(1, 5000) as n`
  await app.sql`analyze postern.users`
  const newest = await planOf(app, listNewestUsers(app.app.db, { before: randomUUID(), limit: 51 }))
  t.strictSame(indexesOf(newest), ['users_pkey'])
  const byEmail = await planOf(app, listUsersByEmail(app.app.db, { prefix: 'user-', after: 'user-ab', limit: 51 }))
  t.strictSame(indexesOf(byEmail), ['users_email_prefix_idx'])
  for (const plan of [newest, byEmail]) t.notMatch(plan, /Sort|Seq Scan/)
})
