import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { AuditEvent, Client } from '../../src/events.js'
import type { EventFilter } from '../../src/features/monitoring/filter.js'
import { listEvents } from '../../src/features/monitoring/store.js'
import { type AdminApp, createAdminApp, trail } from '../fixtures/admin.js'
import { newUser } from '../fixtures/app.js'
import { until } from '../fixtures/database.js'
import { indexesOf, planOf } from '../fixtures/plan.js'
import { ordinaryTraffic } from '../fixtures/traffic.js'

const NDJSON = { accept: 'application/x-ndjson' }
const CSV = { accept: 'text/csv' }
const USER = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'

function clientAt(address: string, userAgent = 'a test'): Client {
  return { address, addressKey: address, userAgent, requestId: 'request-1' }
}

async function record({ app }: AdminApp, address: string, event: AuditEvent, userAgent?: string): Promise<void> {
  await app.events.record(app.db, clientAt(address, userAgent), event)
}

/** The events of a stream. */
const linesOf = (raw: string) =>
  raw
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

t.test('the trail is read with any filter, each of which leaves exactly what it says', async (t) => {
  const app = await createAdminApp(t)
  const fail = { type: 'login', success: false } as const
  await record(app, '203.0.113.7', { ...fail, reason: 'wrong_password', email: 'ada@example.com', userId: USER })
  await record(app, '203.0.113.9', { ...fail, reason: 'unknown_email', email: 'bob@example.com' })
  await record(app, '2001:db8::7', { type: 'refresh', success: true, userId: USER, email: 'ada@example.com' })
  await record(app, '2001:db8::/64', { type: 'rate_limited', success: false, reason: 'rate_limited' })
  await app.sql`select postern.ensure_event_partition('2026-01-14')`
  await app.sql`insert into postern.auth_events (id, event_type, success, created_at)
    values (gen_random_uuid(), 'logout', true, '2026-01-14T09:30:00Z')`
  const mine = ['203.0.113.7', '203.0.113.9', '2001:db8::7', '2001:db8::/64', null]
  const found = async (query: string) => {
    const { status, body } = await app.call('GET', `/events?${query}`)
    t.equal(status, 200, query)
    const events = body.events as { event_type: string; ip_address: string | null; created_at: string }[]
    const ours = events.filter((e) => (e.ip_address === null ? e.event_type === 'logout' : mine.includes(e.ip_address)))
    return ours.map(({ ip_address }) => ip_address)
  }
  t.strictSame(await found('limit=100'), ['2001:db8::/64', '2001:db8::7', '203.0.113.9', '203.0.113.7', null])
  t.strictSame(await found('type=login&success=false'), ['203.0.113.9', '203.0.113.7'])
  t.strictSame(await found(`success=true&user_id=${USER.toUpperCase()}`), ['2001:db8::7'])
  t.strictSame(await found('reason=wrong_password'), ['203.0.113.7'])
  t.strictSame(await found('ip=203.0.113.9'), ['203.0.113.9'])
  t.strictSame(await found('ip=203.0.113.0/24'), ['203.0.113.9', '203.0.113.7'])
  t.strictSame(await found('ip=2001:DB8:0::7'), ['2001:db8::7'])
  t.strictSame(await found('ip=2001:db8::/64'), ['2001:db8::/64', '2001:db8::7'])
  t.strictSame(await found('email=ADA@Example.com'), ['2001:db8::7', '203.0.113.7'])
  t.strictSame(await found('email=ada@example.com&type=refresh'), ['2001:db8::7'])
  t.strictSame(await found('from=2026-01-14T09:30:00Z&to=2026-01-14T09:30:00.001Z'), [null], 'from is included')
  t.strictSame(await found('from=2026-01-14T00:00:00Z&to=2026-01-14T09:30:00Z'), [], 'to is not')
  t.strictSame(await found('from=2026-01-14T11:30:00%2B02:00&to=2026-01-15T00:00:00Z'), [null])
  t.strictSame(await found('type=key_revoked'), [])
})

t.test('an operator sees the whole event', async (t) => {
  const app = await createAdminApp(t)
  const details = { by: 'client', client_id: 'reports', nested: { list: [1, 'two'] } }
  await record(app, '203.0.113.7', {
    type: 'session_revoked',
    success: true,
    userId: USER,
    email: 'a@example.com',
    details
  })
  const { body, headers } = await app.call('GET', '/events?type=session_revoked')
  t.match(headers['content-type'], 'application/json')
  t.strictSame(Object.keys(body.events[0]), [
    'event_id',
    'event_type',
    'success',
    'failure_reason',
    'user_id',
    'email',
    'session_id',
    'ip_address',
    'user_agent',
    'request_id',
    'created_at',
    'details'
  ])
  t.match(body.events[0], { user_id: USER, email: 'a@example.com', request_id: 'request-1', user_agent: 'a test' })
  t.strictSame(body.events[0].details, details)
  t.equal(body.next_cursor, null)
})

t.test('a filter that means nothing is refused, with every fault at once', async (t) => {
  const app = await createAdminApp(t)
  const broken = [
    'type=nothing',
    'success=yes',
    'success=1',
    'reason=x',
    'ip=127.1',
    'ip=1.2.3.4/33',
    'ip=',
    "ip=1.2.3.4'",
    'email=ada',
    'user_id=1',
    'from=yesterday',
    'from=2026-02-30T00:00:00Z',
    'to=2026-01-14',
    'cursor=x',
    `cursor=${'_'.repeat(32)}`,
    'limit=0',
    'limit=101',
    'offset=1',
    'type=login&type=logout'
  ]
  for (const query of broken) {
    for (const headers of [{}, CSV]) {
      const answer = await app.call('GET', `/events?${query}`, { headers })
      t.match(answer, { status: 400, body: { code: 'invalid_request' } }, query)
    }
  }
  const { body } = await app.call('GET', '/events?ip=x&email=x&from=x&to=x')
  t.strictSame(
    body.errors.map(({ field }: { field: string }) => field),
    ['ip', 'email', 'from', 'to']
  )
})

t.test('pages and both streams have the same events in the same order', async (t) => {
  const app = await createAdminApp(t)
  await ordinaryTraffic(app.sql, { events: 1300, seconds: 5_184_000, users: 40 })
  const paged: unknown[] = []
  let cursor = ''
  do {
    const { body } = await app.call('GET', `/events?type=login&limit=97${cursor}`)
    paged.push(...body.events)
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`
  } while (cursor !== '')
  t.ok(paged.length > 300)
  const stream = await app.call('GET', '/events?type=login', { headers: NDJSON })
  t.match(stream.headers['content-type'], 'application/x-ndjson')
  t.strictSame(linesOf(stream.raw), paged)
  const csv = await app.call('GET', '/events?type=login', { headers: CSV })
  t.match(csv.headers['content-type'], 'text/csv')
  const [head, ...rows] = csv.raw.split('\r\n')
  t.equal(
    head,
    'event_id,created_at,event_type,success,failure_reason,user_id,email,session_id,ip_address,user_agent,request_id,details'
  )
  t.strictSame(
    rows.slice(0, -1).map((row) => row.split(',')[0]),
    (paged as { event_id: string }[]).map(({ event_id }) => event_id)
  )
  t.equal(linesOf((await app.call('GET', '/events?limit=7', { headers: NDJSON })).raw).length, 7)
  t.equal((await app.call('GET', '/events?type=throttle_cleared', { headers: NDJSON })).raw, '')
  t.equal((await app.call('GET', '/events?type=throttle_cleared', { headers: CSV })).raw, `${head}\r\n`)
})

t.test('a stream has more than one batch whole, and where many events share a millisecond', async (t) => {
  const app = await createAdminApp(t)
  await app.sql`insert into postern.auth_events (id, event_type, success, created_at)
    select gen_random_uuid(), 'login', true, date_trunc('milliseconds', now()) from generate_series(1, 2000)`
  const stream = await app.call('GET', '/events?type=login', { headers: NDJSON })
  t.equal(new Set(linesOf(stream.raw).map(({ event_id }) => event_id)).size, 2000)
})

t.test('in CSV no cell begins as a formula does', async (t) => {
  const app = await createAdminApp(t)
  for (const agent of ['=cmd|calc', '+1', '-1', '@x', 'quoted "and, separated"']) {
    await record(app, '203.0.113.7', { type: 'login', success: true, email: '=1+1@example.com' }, agent)
  }
  const { raw } = await app.call('GET', '/events?ip=203.0.113.7', { headers: CSV })
  t.notMatch(raw, /(?:^|,|\n)"?[=+@-]/)
  for (const agent of ['"\'=cmd|calc"', '"\'+1"', '"\'-1"', '"\'@x"', '"quoted ""and, separated"""'])
    t.ok(raw.includes(agent), agent)
  t.ok(raw.includes('"\'=1+1@example.com"'))
})

t.test('a download is told from a page in the trail, and filters are named without their values', async (t) => {
  const app = await createAdminApp(t)
  await app.call('GET', '/events?email=canary@example.com&limit=1')
  await app.call('GET', '/events?ip=203.0.113.7', { headers: CSV })
  await app.call('GET', '/events', { headers: NDJSON })
  const rows = await trail(app)
  t.strictSame(
    rows.map(({ details }) => details),
    [
      { action: 'events.list', filters: ['email', 'limit'] },
      { action: 'events.list', filters: ['ip'], format: 'text/csv' },
      { action: 'events.list', format: 'application/x-ndjson' }
    ]
  )
})

/** A stream over a real socket, of which nothing has been read. */
async function openStream(app: AdminApp): Promise<IncomingMessage> {
  if (!app.app.server.listening) await app.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.app.server.address() as AddressInfo
  const headers = { ...NDJSON, authorization: `Bearer ${app.admin.token}` }
  const asked = httpRequest({ host: '127.0.0.1', port, path: '/admin/api/events?type=login', headers }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return answer
}

/** Many events last month, few in this one. */
async function oldLogins({ sql }: AdminApp, count: number): Promise<string> {
  const [month] = await sql`select to_char(now() at time zone 'UTC' - interval '1 month', 'YYYY_MM') as name,
    postern.ensure_event_partition((now() at time zone 'UTC' - interval '1 month')::date)`
  await sql`insert into postern.auth_events (id, event_type, success, user_agent, created_at)
    select gen_random_uuid(), 'login', true, repeat('x', 500),
      date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - make_interval(secs => n)
    from generate_series(1, ${count}::int) as n`
  return `postern.auth_events_${month?.name}`
}

t.test('a stream is read from the database only as fast as its reader takes it', async (t) => {
  const app = await createAdminApp(t)
  const partition = await oldLogins(app, 40_000)
  const answer = await openStream(app)
  const [first] = (await once(answer, 'data')) as [Buffer]
  answer.pause()
  // What is gone from the database by now can come only out of memory.
  await app.sql.unsafe(`drop table ${partition}`)
  const rest = await text(answer)
  t.ok(answer.complete, 'a month that retention drops meanwhile ends the stream in order')
  const lines = linesOf(first + rest).length
  t.ok(lines > 0 && lines < 20_000, `${lines} of 40000 were in memory and in sockets`)
})

t.test('readers who stop hold no connection, and one who leaves ends his stream', async (t) => {
  const app = await createAdminApp(t)
  await oldLogins(app, 30_000)
  const first = await openStream(app)
  const streams = [first, ...(await Promise.all(Array.from({ length: 11 }, () => openStream(app))))]
  for (const stream of streams) stream.on('error', () => undefined).pause()
  t.equal((await app.http('GET', '/auth/me', { token: app.admin.token })).status, 200)
  const user = await newUser(app.http)
  t.ok(user.token)
  const connections = () =>
    new Promise<number>((resolve) => app.app.server.getConnections((_error, count) => resolve(count)))
  for (const stream of streams) stream.destroy()
  await until(async () => (await connections()) === 0)
  t.pass('no answer is left')
})

t.test('a stream that cannot go on breaks off, so that nobody takes it for whole', async (t) => {
  const app = await createAdminApp(t, { databaseTimeoutMs: 800 })
  await oldLogins(app, 40_000)
  const answer = await openStream(app)
  await once(answer, 'data')
  answer.pause()
  await app.sql.begin(async (locked) => {
    await locked`lock table postern.auth_events in access exclusive mode`
    await t.rejects(text(answer), { code: 'ECONNRESET' })
  })
  t.notOk(answer.complete)
})

t.test('a page with any filter is read by an index, and only from the months that it needs', async (t) => {
  const app = await createAdminApp(t)
  await ordinaryTraffic(app.sql, { events: 30_000, seconds: 90 * 86_400, users: 300 })
  await app.sql`analyze postern.auth_events`
  const sorted: [EventFilter, RegExp][] = [
    [{}, /_pkey$/],
    [{ success: false }, /_created_at_id_idx$|_pkey$/],
    [{ type: 'signup' }, /_event_type_/],
    [{ reason: 'session_ended' }, /_failure_reason_/],
    [{ email: 'user-7@example.com' }, /_email_/],
    [{ userId: USER }, /_user_id_/]
  ]
  const plan = (filter: EventFilter) => planOf(app, listEvents(app.app.db, filter, { before: undefined, limit: 51 }))
  for (const [filter, index] of sorted) {
    const text = await plan(filter)
    t.ok(indexesOf(text).length >= 4 && indexesOf(text).every((name) => index.test(name)), text)
    t.notMatch(text, /Sort/, 'in its order')
  }
  // Of few rows it is as good to sort them.
  const rare: [EventFilter, string][] = [
    [{ type: 'refresh_reuse_detected' }, 'event_type'],
    [{ address: '10.0.0.7' }, 'ip_address'],
    [{ network: '10.0.0.0/30' }, 'ip_address']
  ]
  for (const [filter, column] of rare) {
    const used = (await plan(filter)).match(new RegExp(`(?:on|using) auth_events_\\d{4}_\\d\\d_${column}_`, 'g'))
    t.ok((used?.length ?? 0) >= 4, await plan(filter))
  }
  const now = new Date(app.clock.now())
  const lastHour = { from: new Date(now.getTime() - 3_600_000), to: now }
  t.ok(new Set((await plan(lastHour)).match(/auth_events_\d{4}_\d\d\b/g)).size <= 2, await plan(lastHour))
})
