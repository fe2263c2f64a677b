import t from 'tap'
import type { AuditEvent, Client } from '../../src/events.js'
import { createApp } from '../fixtures/app.js'

type App = Awaited<ReturnType<typeof createApp>>

const userId = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'
const sessionId = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5b'

function client(fields: Partial<Client> = {}): Client {
  return { address: '192.0.2.1', addressKey: '192.0.2.1', userAgent: 'a test', requestId: 'request-1', ...fields }
}

const login: AuditEvent = { type: 'login', success: true, userId, email: 'ada@example.com', sessionId }

async function rows({ sql }: App, type = 'login') {
  return await sql`select *, clock_timestamp() - created_at < interval '1 minute' as recent
    from postern.auth_events where event_type = ${type} order by created_at, id`
}

t.test('a row has the time of the database, an id of version 7, and all that is known of the request', async (t) => {
  const app = await createApp(t)
  app.clock.advance('40d')
  await app.app.events.record(app.app.db, client(), { ...login, details: { sessions_ended: 2 } })
  const [row] = await rows(app)
  t.match(row, {
    id: /^[0-9a-f]{8}-[0-9a-f]{4}-7/,
    event_type: 'login',
    success: true,
    failure_reason: null,
    user_id: userId,
    email: 'ada@example.com',
    session_id: sessionId,
    ip_address: '192.0.2.1',
    user_agent: 'a test',
    request_id: 'request-1',
    details: { sessions_ended: 2 },
    recent: true
  })
  t.equal(row?.created_at.getTime() % 1, 0)
})

t.test('an act of the service itself has no address, no user agent and no request', async (t) => {
  const app = await createApp(t)
  await app.app.events.record(app.app.db, undefined, { type: 'key_created', success: true, details: { kid: 'k' } })
  const created = await rows(app, 'key_created')
  t.match(created.at(-1), {
    ip_address: null,
    user_agent: null,
    request_id: null,
    user_id: null,
    details: { kid: 'k' }
  })
})

t.test('a user agent is escaped and cut at 512 characters; an empty one is none', async (t) => {
  const app = await createApp(t)
  for (const userAgent of ['\u001b]0;x\u0007\u009b31m\u202e', 'a'.repeat(2000), '', undefined]) {
    await app.app.events.record(app.app.db, client({ userAgent }), login)
  }
  t.strictSame(
    (await rows(app)).map((row) => row.user_agent),
    ['\\u001b]0;x\\u0007\\u009b31m\\u202e', 'a'.repeat(512), null, null]
  )
})

t.test('what a token claims and PostgreSQL would not take is left out, and the row is written', async (t) => {
  const app = await createApp(t)
  const odd = { userId: "1' or 1=1", sessionId: 'x\0', email: 'no address\0' }
  await app.app.events.record(app.app.db, client(), { type: 'login', success: false, reason: 'wrong_password', ...odd })
  t.match(await rows(app), [{ user_id: null, session_id: null, email: null }])
})

t.test('an event stands or falls with its transaction', async (t) => {
  const app = await createApp(t)
  const failing = app.app.db.transaction(async (tx) => {
    await app.app.events.record(tx, client(), login)
    throw new Error('the change did not take place')
  })
  await t.rejects(failing, { message: 'the change did not take place' })
  t.equal((await rows(app)).length, 0)
})

t.test('an event that cannot be written fails the operation as unavailable, whatever the cause', async (t) => {
  const app = await createApp(t)
  await app.sql`alter table postern.auth_events add constraint away check (false) not valid`
  await t.rejects(app.app.events.record(app.app.db, client(), login), { code: 'unavailable' })
  await t.rejects(app.app.events.refuse(client(), { type: 'login', success: false, reason: 'wrong_password' }), {
    code: 'unavailable'
  })
})

t.test('each start is an event that names version, instance and Node', async (t) => {
  const app = await createApp(t)
  const started = await rows(app, 'service_started')
  t.equal(started.length, 1)
  t.match(started[0], {
    success: true,
    ip_address: null,
    details: { version: /^\d+\.\d+\.\d+/, instance_id: /^[0-9a-f-]{36}$/, node: process.version }
  })
})

for (const table of ['auth_events', 'its partition']) {
  t.test(`no row of ${table} can be changed, deleted or truncated`, async (t) => {
    const app = await createApp(t)
    const [row] = await app.sql`select tableoid::regclass::text as partition from postern.auth_events limit 1`
    const target = table === 'auth_events' ? 'postern.auth_events' : row?.partition
    for (const statement of [
      `update ${target} set success = false`,
      `update ${target} set success = false where false`,
      `delete from ${target}`,
      `delete from ${target} where false`,
      `truncate ${target}`
    ]) {
      await t.rejects(app.sql.unsafe(statement), { code: '42501' }, statement)
    }
    t.equal((await rows(app, 'service_started')).length, 1)
  })
}
