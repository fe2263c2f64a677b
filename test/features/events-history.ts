import t from 'tap'
import type { AuditEvent, Client } from '../../src/events.js'
import { listEventsOfUser } from '../../src/features/events/store.js'
import { decodeCursor, encodeCursor } from '../../src/lib/event-cursor.js'
import { createApp, newUser } from '../fixtures/app.js'

type App = Awaited<ReturnType<typeof createApp>>
type User = Awaited<ReturnType<typeof newUser>>

const config = { rateLimits: { login: undefined, signup: undefined, refresh: undefined } }
const client: Client = { address: '192.0.2.1', addressKey: '192.0.2.1', userAgent: 'a test', requestId: 'request-1' }

function page({ http }: App, user: User, query = '') {
  return http('GET', `/auth/users/${user.user_id}/events${query}`, { token: user.token })
}

async function record({ app }: App, user: User, fields: Partial<AuditEvent> = {}): Promise<void> {
  await app.events.record(app.db, client, { type: 'login', success: true, userId: user.user_id, ...fields })
}

t.test(
  'a user sees his own events, newest first, strangers at his account included, and those of nobody else',
  async (t) => {
    const app = await createApp(t, { config })
    const [ada, bob] = [await newUser(app.http), await newUser(app.http)]
    const guess = { email: ada.email, password: 'Wrong0horse' }
    await app.http('POST', '/auth/login', { body: guess, headers: { 'user-agent': 'stranger\u001b[31m' } })
    await app.http('GET', `/auth/users/${ada.user_id}`, { token: bob.token })
    const { status, body, headers } = await page(app, ada)
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    t.strictSame(Object.keys(body), ['events', 'next_cursor'])
    t.equal(body.next_cursor, null)
    t.equal(body.events.length, 2)
    t.strictSame(Object.keys(body.events[0]), [
      'event_id',
      'event_type',
      'success',
      'failure_reason',
      'ip_address',
      'user_agent',
      'session_id',
      'created_at',
      'details'
    ])
    t.match(body.events, [
      {
        event_type: 'login',
        success: false,
        failure_reason: 'wrong_password',
        ip_address: '127.0.0.1',
        session_id: null
      },
      { event_type: 'signup', success: true, failure_reason: null, session_id: /^[0-9a-f-]{36}$/ }
    ])
    t.equal(body.events[0].user_agent, 'stranger\\u001b[31m')
    t.match(body.events[0].created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    const own = (await page(app, bob)).body.events
    t.strictSame(
      own.map((event: { event_type: string }) => event.event_type),
      ['ownership_denied', 'signup']
    )
  }
)

t.test('the history of another user is refused: 401 first, then 400, then 403', async (t) => {
  const app = await createApp(t, { config })
  const [ada, bob] = [await newUser(app.http), await newUser(app.http)]
  const path = `/auth/users/${ada.user_id}/events`
  t.equal((await app.http('GET', path)).status, 401)
  t.equal((await app.http('GET', path, { token: 'x.y.z' })).status, 401)
  t.equal((await app.http('GET', '/auth/users/none/events', { token: bob.token })).status, 400)
  t.match(await app.http('GET', path, { token: bob.token }), { status: 403, body: { code: 'not_your_resource' } })
})

t.test('of the details a user sees counts, and nothing that may name other people', async (t) => {
  const app = await createApp(t, { config })
  const ada = await newUser(app.http)
  await record(app, ada, { type: 'user_updated', details: { actor: 'root@example.com', count: 3, sessions_ended: 2 } })
  await record(app, ada, { type: 'logout', details: { count: 'many', sessions_ended: 1.5 } })
  const { body, raw } = await page(app, ada)
  t.strictSame(
    body.events.map((event: { details: object }) => event.details),
    [{}, { count: 3, sessions_ended: 2 }, {}]
  )
  t.notMatch(raw, 'root@example.com')
})

t.test('pages follow one another without a gap or a repeat, also where many events share a millisecond', async (t) => {
  const app = await createApp(t, { config })
  const ada = await newUser(app.http)
  await app.sql`insert into postern.auth_events (id, event_type, success, user_id, created_at)
    select gen_random_uuid(), 'login', true, ${ada.user_id}, date_trunc('milliseconds', clock_timestamp()) from generate_series(1, 30)`
  for (let n = 0; n < 24; n += 1) await record(app, ada)
  const all = await app.sql`select id from postern.auth_events where user_id = ${ada.user_id}
    order by created_at desc, id desc`
  t.equal(all.length, 55)
  for (const limit of [1, 7, 55, 100]) {
    const seen: string[] = []
    let query = `?limit=${limit}`
    while (query !== '') {
      const { status, body } = await page(app, ada, query)
      if (status !== 200 || body.events.length === 0) t.fail(`a page of ${limit} is ${status} or empty`)
      seen.push(...body.events.map((event: { event_id: string }) => event.event_id))
      query = body.next_cursor === null ? '' : `?limit=${limit}&cursor=${body.next_cursor}`
    }
    t.strictSame(
      seen,
      all.map(({ id }) => id),
      `by ${limit}`
    )
  }
  t.equal((await page(app, ada)).body.events.length, 50, '50 by default')
})

t.test('what comes in between two pages neither repeats nor hides what was there', async (t) => {
  const app = await createApp(t, { config })
  const ada = await newUser(app.http)
  for (let n = 0; n < 9; n += 1) await record(app, ada)
  const before = (await page(app, ada)).body.events
  const first = (await page(app, ada, '?limit=5')).body
  for (let n = 0; n < 5; n += 1) await record(app, ada)
  const second = (await page(app, ada, `?limit=5&cursor=${first.next_cursor}`)).body
  t.strictSame([...first.events, ...second.events], before)
  t.equal(second.next_cursor, null)
})

t.test('a limit is a plain decimal number from 1 to 100', async (t) => {
  const app = await createApp(t, { config })
  const ada = await newUser(app.http)
  for (const limit of ['1', '9', '10', '99', '100'])
    t.equal((await page(app, ada, `?limit=${limit}`)).status, 200, limit)
  for (const limit of [
    '0',
    '101',
    '1000',
    '1e1',
    '%205',
    '5%20',
    '05',
    '+5',
    '-1',
    '5.0',
    '0x5',
    '',
    'NaN',
    '٥',
    '5&limit=5'
  ]) {
    const { status, body } = await page(app, ada, `?limit=${limit}`)
    t.match({ status, code: body.code }, { status: 400, code: 'invalid_request' }, `limit=${limit}`)
  }
})

t.test('a cursor that no page gave out is refused', async (t) => {
  const app = await createApp(t, { config })
  const ada = await newUser(app.http)
  await record(app, ada)
  const { next_cursor: good } = (await page(app, ada, '?limit=1')).body
  t.equal((await page(app, ada, `?cursor=${good}`)).status, 200)
  const broken = [
    '',
    'x',
    `${good}A`,
    good.slice(1),
    `${good}=`,
    `%20${good}`,
    '_'.repeat(32),
    `${good}&cursor=${good}`,
    '%00'
  ]
  for (const cursor of [...broken, good.replace(/.$/, '+'), `-${good.slice(1)}`]) {
    const { status, body } = await page(app, ada, `?cursor=${cursor}`)
    t.match({ status, code: body.code }, { status: 400, code: 'invalid_request' }, `cursor=${cursor}`)
  }
  t.equal((await page(app, ada, '?offset=1')).status, 400)
})

t.test("another user's cursor only says where to go on", async (t) => {
  const app = await createApp(t, { config })
  const [ada, bob] = [await newUser(app.http), await newUser(app.http)]
  for (let n = 0; n < 3; n += 1) await record(app, ada)
  const { next_cursor: cursor } = (await page(app, ada, '?limit=1')).body
  const { status, body } = await page(app, bob, `?cursor=${cursor}`)
  t.equal(status, 200)
  t.strictSame(
    body.events.map((event: { event_type: string }) => event.event_type),
    ['signup']
  )
})

t.test('a cursor has exactly one spelling, and every time until the year 9999', async (t) => {
  const id = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'
  for (const time of [0, 1, 1_768_383_000_000, 253_402_300_799_999]) {
    const position = { createdAt: new Date(time), id }
    t.strictSame(decodeCursor(encodeCursor(position)), position)
  }
  t.equal(decodeCursor(encodeCursor({ createdAt: new Date(253_402_300_800_000), id })), undefined)
  t.equal(decodeCursor(Buffer.alloc(24, 0xff).toString('base64url')), undefined)
  t.equal(decodeCursor(Buffer.alloc(23).toString('base64url')), undefined)
  t.equal(decodeCursor(`${encodeCursor({ createdAt: new Date(0), id })}A`), undefined)
})

t.test('a page reads its rows in the order of the index, without a sort, and leaves out newer months', async (t) => {
  const app = await createApp(t, { config })
  const ada = await newUser(app.http)
  await app.sql`insert into postern.auth_events (id, event_type, success, user_id)
    select gen_random_uuid(), 'login', true, case when n % 5 = 0 then ${ada.user_id}::uuid else gen_random_uuid() end
    from generate_series(1, 5000) as n`
  await app.sql`analyze postern.auth_events`
  const before = { createdAt: new Date(app.clock.now()), id: ada.user_id }
  const query = listEventsOfUser(app.app.db, ada.user_id, { before, limit: 51 }).toSQL()
  const plan = await app.sql.unsafe(`explain (costs off) ${query.sql}`, query.params as string[])
  const text = plan.map((line) => line['QUERY PLAN']).join('\n')
  t.match(text, 'Index Scan Backward')
  t.equal(text.match(/ on auth_events_\d{4}_\d\d /g)?.length, 1, text)
  t.notMatch(text, 'Sort')
  t.notMatch(text, 'Seq Scan')
})
