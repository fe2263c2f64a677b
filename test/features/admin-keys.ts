import t from 'tap'
import { createAdminApp, newAdmin, trail } from '../fixtures/admin.js'
import { newUser } from '../fixtures/app.js'
import { jwtSecret } from '../fixtures/keys.js'

type App = Awaited<ReturnType<typeof createAdminApp>>

async function keyOf({ call }: App, state: string) {
  const { body } = await call('GET', '/keys')
  return body.keys.find((key: { state: string }) => key.state === state)
}

t.test('every call about keys and settings needs the bearer of an admin', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  const routes = [
    ['GET', '/admin/api/keys'],
    ['POST', '/admin/api/keys/rotate'],
    ['POST', `/admin/api/keys/${(await keyOf(app, 'current')).kid}/revoke`],
    ['GET', '/admin/api/settings']
  ] as const
  for (const [method, path] of routes) {
    t.match(await app.http(method, path), { status: 401, body: { code: 'missing_token' } }, path)
    t.match(
      await app.http(method, path, { token: user.token }),
      { status: 403, body: { code: 'admin_required' } },
      path
    )
  }
  t.equal((await trail(app)).filter(({ event_type }) => event_type === 'admin_denied').length, routes.length)
  t.equal((await app.call('GET', '/keys')).body.keys.length, 2, 'nothing has changed')
})

t.test('keys are listed with their times and without key material, and each look is an event', async (t) => {
  const app = await createAdminApp(t)
  const { status, body, raw } = await app.call('GET', '/keys')
  t.equal(status, 200)
  const [current, next] = ['current', 'next'].map((state) =>
    body.keys.find((key: { state: string }) => key.state === state)
  )
  t.equal(body.keys.length, 2)
  t.match(current, { algorithm: 'ES256', replaced_at: null, retires_at: null, revoked_at: null, ready_at: null })
  const publishAheadMs = app.config.keyPublishAheadSeconds * 1000
  t.equal(Date.parse(next.ready_at) - Date.parse(next.created_at), publishAheadMs)
  t.notMatch(raw, /cipher|private|"[dxy]"|v1\./i)
  t.match(await trail(app), [{ event_type: 'admin_action', details: { action: 'keys.list' } }])
})

t.test('a rotation before its time is 409 and on record; forced, or in time, the next key signs', async (t) => {
  const app = await createAdminApp(t)
  const { kid: first } = await keyOf(app, 'current')
  const { kid: second } = await keyOf(app, 'next')
  t.match(await app.call('POST', '/keys/rotate'), { status: 409, body: { code: 'key_not_ready' } })
  t.match(await app.call('POST', '/keys/rotate', { body: { force: false } }), { status: 409 })
  t.match(await app.call('POST', '/keys/rotate', { body: { force: 'true' } }), { status: 400 })
  t.match(await app.call('POST', '/keys/rotate', { body: { force: true, kid: first } }), { status: 400 })
  const forced = await app.call('POST', '/keys/rotate', { body: { force: true } })
  t.match(forced, {
    status: 200,
    body: { current: { kid: second, state: 'current' }, previous: { kid: first, state: 'previous' } }
  })
  t.equal(forced.body.next.state, 'next')
  const retires = Date.parse(forced.body.previous.retires_at) - app.clock.now()
  t.ok(retires >= app.config.accessTokenTtlSeconds * 1000, 'it checks the last token that it signed')
  t.equal((await app.call('GET', '/keys')).status, 200, 'a token of the previous key is good')

  app.clock.advance(`${app.config.keyPublishAheadSeconds - 60}s`)
  t.match(await app.call('POST', '/keys/rotate'), { status: 409, body: { code: 'key_not_ready' } })
  app.clock.advance('60s')
  const admin = await newAdmin(app)
  t.match(await app.call('POST', '/keys/rotate', { token: admin.token }), {
    status: 200,
    body: { current: { kid: forced.body.next.kid } }
  })
  const changes = (await trail(app)).filter(({ event_type }) => event_type === 'key_rotated')
  const actor = { user_id: app.admin.user_id, email: app.admin.email, ip_address: '127.0.0.1' }
  const details = { by: 'admin', actor_user_id: app.admin.user_id, actor_email: app.admin.email }
  t.match(changes[0], {
    ...actor,
    success: false,
    failure_reason: 'key_not_ready',
    details: { ...details, force: false }
  })
  t.match(changes[2], { ...actor, success: true, details: { ...details, from: first, to: second } })
  t.match(
    changes.map(({ success }) => success),
    [false, false, true, false, true]
  )
})

t.test(
  'a revoked key refuses its tokens at once, which signs the admin out too; a repeat changes nothing',
  async (t) => {
    const app = await createAdminApp(t)
    const { kid } = await keyOf(app, 'current')
    const user = await newUser(app.http)
    t.match(await app.call('POST', `/keys/${kid}/revoke`), {
      status: 200,
      body: { kid, state: 'revoked', revoked_at: /Z$/ }
    })
    t.match(await app.http('GET', '/auth/me', { token: user.token }), { status: 401, body: { code: 'invalid_token' } })
    t.equal((await app.call('GET', '/keys')).status, 401)
    const admin = await newAdmin(app)
    const again = await app.call('POST', `/keys/${kid}/revoke`, { token: admin.token })
    t.match(again, { status: 200, body: { kid, state: 'revoked' } })
    const unknown = await app.call('POST', '/keys/no-such-key/revoke', { token: admin.token })
    t.match(unknown, { status: 404, body: { code: 'not_found' } })
    t.match(await app.call('POST', '/keys/no.key/revoke', { token: admin.token }), { status: 400 })
    const rows = await trail(app)
    t.match(
      rows.filter(({ event_type }) => event_type === 'key_revoked'),
      [
        { success: true, user_id: app.admin.user_id, details: { kid, by: 'admin', actor_user_id: app.admin.user_id } },
        { success: false, failure_reason: 'not_found', user_id: admin.user_id, details: { kid: 'no-such-key' } }
      ]
    )
    t.match(
      rows.filter(({ details }) => details?.repeat),
      [{ event_type: 'admin_action', details: { action: 'keys.revoke', kid } }]
    )
  }
)

t.test('a change of keys that cannot be recorded does not happen', async (t) => {
  const app = await createAdminApp(t)
  const { kid } = await keyOf(app, 'current')
  const partitions =
    await app.sql`select inhrelid::regclass::text as name from pg_inherits where inhparent = 'postern.auth_events'::regclass`
  for (const { name } of partitions) await app.sql.unsafe(`drop table ${name}`)
  t.equal((await app.call('POST', `/keys/${kid}/revoke`)).status, 503)
  t.equal((await app.call('POST', '/keys/rotate', { body: { force: true } })).status, 503)
  const rows =
    await app.sql`select kid from postern.signing_keys where revoked_at is not null or replaced_at is not null`
  t.equal(rows.length, 0)
})

t.test('where JWT_SECRET signs there is nothing to rotate, and the attempt says so', async (t) => {
  const app = await createAdminApp(t, { jwtSecret })
  const answer = await app.call('POST', '/keys/rotate', { body: { force: true } })
  t.match(answer, { status: 400, body: { code: 'invalid_request', detail: /JWT_SECRET/ } })
  const [row] = await app.sql`select * from postern.auth_events where event_type = 'key_rotated'`
  t.match(row, { success: false, failure_reason: 'invalid_request' })
  t.match((await app.call('GET', '/keys')).body.keys, [{ algorithm: 'HS256', state: 'current', ready_at: null }])
})

t.test('an admin who is none any more by the time of the change changes no key', async (t) => {
  const app = await createAdminApp(t)
  const { kid } = await keyOf(app, 'current')
  const actor = {
    client: { address: '203.0.113.7', addressKey: '203.0.113.7', userAgent: 'a test', requestId: 'request-1' },
    identity: { userId: app.admin.user_id, email: app.admin.email, sessionId: crypto.randomUUID() }
  }
  const { createKeyAdministration } = await import('../../src/features/admin/keys.js')
  const { createUsers } = await import('../../src/features/users/service.js')
  const { keys, events, db } = app.app
  const administration = createKeyAdministration({ keys, events, users: createUsers({ db }) })
  await app.sql`update postern.users set role = 'user' where id = ${app.admin.user_id}`
  await t.rejects(administration.revokeKey(actor, kid), { code: 'admin_required' })
  await t.rejects(administration.rotateKey(actor, true), { code: 'admin_required' })
  const after = await app.app.keys.list()
  t.strictSame(after.map(({ state }) => state).sort(), ['current', 'next'])
  t.equal(after.find(({ state }) => state === 'current')?.kid, kid)
})
