import t from 'tap'
import { type AdminApp, createAdminApp } from '../fixtures/admin.js'
import { ordinaryTraffic } from '../fixtures/traffic.js'

const HOUR = 3_600_000

interface Count {
  event_type: string
  success: boolean
  failure_reason: string | null
  answers: number
}

const stats = async (app: AdminApp, query: string) => {
  const { status, body, raw } = await app.call('GET', `/stats?${query}`)
  if (status !== 200) throw new Error(raw)
  return body
}

const total = (counts: Count[]) => counts.reduce((sum, { answers }) => sum + answers, 0)

/** By the trail itself, without what the questions of the test add to it. */
async function inTrail({ sql }: AdminApp, from: string, to: string): Promise<Count[]> {
  const rows =
    await sql`select event_type, success, failure_reason, sum(coalesce((details->>'count')::int, 1))::int as answers
    from postern.auth_events where created_at >= ${from}::timestamptz and created_at < ${to}::timestamptz and event_type <> 'admin_action'
    group by 1, 2, 3`
  return sorted(rows as unknown as Count[])
}

const sorted = (counts: Count[]) =>
  counts
    .filter(({ event_type }) => event_type !== 'admin_action')
    .map(({ event_type, success, failure_reason, answers }) => ({ event_type, success, failure_reason, answers }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

t.test('the counts are those of the trail, before and after it was summed up', async (t) => {
  const app = await createAdminApp(t)
  await ordinaryTraffic(app.sql, { events: 20_000, seconds: 10 * 86_400, users: 200 })
  await app.sql`insert into postern.auth_events (id, event_type, success, failure_reason, ip_address, details, created_at)
    values (gen_random_uuid(), 'rate_limited', false, 'rate_limited', '203.0.113.7', '{"count": 5000}', now() - interval '3 hours')`
  const queries = [
    'window=5m',
    'window=6h',
    'window=24h',
    'window=24h&bucket=10m',
    'window=4d&bucket=6h',
    'window=9d&bucket=24h'
  ]
  const check = async (when: string) => {
    for (const query of queries) {
      const body = await stats(app, query)
      const name = `${query} ${when}`
      t.strictSame(sorted(body.totals), await inTrail(app, body.from, body.to), name)
      t.strictSame(
        sorted(body.previous.totals),
        await inTrail(app, body.previous.from, body.previous.to),
        `${name}, before`
      )
      t.equal(body.previous.to, body.from)
      const inBuckets = body.buckets.flatMap(({ counts }: { counts: Count[] }) => counts)
      t.equal(total(inBuckets), total(body.totals))
      const span = new Date(body.from).getTime() - new Date(body.previous.from).getTime()
      t.equal(span % (body.bucket_seconds * 1000), 0)
    }
  }
  await check('before')
  t.ok((await app.app.monitoring.sumUp()) >= 10)
  const [row] = await app.sql`select count(*)::int as hours from (select distinct hour from postern.event_counts) as h`
  t.ok(row?.hours > 200)
  await check('after')
  t.equal(await app.app.monitoring.sumUp(), 0, 'once is enough')
})

t.test('each bucket has what lies in it', async (t) => {
  const app = await createAdminApp(t)
  await app.sql`insert into postern.auth_events (id, event_type, success, failure_reason, created_at)
    select gen_random_uuid(), 'login', false, 'wrong_password', date_trunc('hour', now()) - make_interval(hours => h::int) + interval '1 millisecond' * (n % 2)
    from generate_series(1, 3) as h, generate_series(1, h::int) as n`
  const { buckets, failures, users } = await stats(app, 'window=24h&bucket=1h')
  const logins = buckets
    .map(({ at, counts }: { at: string; counts: Count[] }) => ({
      at: new Date(at).getTime() % HOUR,
      wrong: total(counts.filter(({ failure_reason }) => failure_reason === 'wrong_password'))
    }))
    .filter(({ wrong }: { wrong: number }) => wrong > 0)
  t.strictSame(logins, [
    { at: 0, wrong: 3 },
    { at: 0, wrong: 2 },
    { at: 0, wrong: 1 }
  ])
  t.strictSame(failures, [{ failure_reason: 'wrong_password', answers: 6 }])
  t.equal(users, 1)
})

t.test('the busiest sources of what looks like guessing come first', async (t) => {
  const app = await createAdminApp(t)
  await app.sql`insert into postern.auth_events (id, event_type, success, failure_reason, email, ip_address)
    select gen_random_uuid(), 'login', false, 'wrong_password', 'a' || n % 3 || '@example.com',
      case when n <= 9 then '203.0.113.7'::inet else '2001:db8::'::inet + n end from generate_series(1, 15) as n`
  await app.sql`insert into postern.auth_events (id, event_type, success, failure_reason, ip_address)
    select gen_random_uuid(), 'token_rejected', false, 'token_expired', '203.0.113.9' from generate_series(1, 50)`
  t.strictSame((await stats(app, 'window=1h')).top_addresses, [
    { ip_address: '203.0.113.7', answers: 9, accounts: 3 },
    { ip_address: '2001:db8::/64', answers: 6, accounts: 3 }
  ])
})

t.test('what is written late is summed up later, and what retention drops is forgotten', async (t) => {
  const app = await createAdminApp(t)
  const { sumUp } = app.app.monitoring
  await ordinaryTraffic(app.sql, { events: 2000, seconds: 70 * 86_400, users: 50 })
  await sumUp()
  const summed = async () =>
    Number((await app.sql`select sum(answers)::int as answers from postern.event_counts`)[0]?.answers)
  const before = await summed()
  await app.sql`insert into postern.auth_events (id, event_type, success, details, created_at)
    values (gen_random_uuid(), 'rate_limited', false, '{"count": 40}', now() - interval '20 hours')`
  // As if the last hour had not been over yet at the last time.
  await app.sql`delete from postern.event_counts where hour = (select max(hour) from postern.event_counts)`
  await sumUp()
  t.equal(await summed(), before + 40)
  const [oldest] = await app.sql`select min(inhrelid::regclass::text) as name from pg_inherits
    where inhparent = 'postern.auth_events'::regclass`
  await app.sql.unsafe(`drop table ${oldest?.name}`)
  await app.sql`delete from postern.event_counts where hour = (select max(hour) from postern.event_counts)`
  await sumUp()
  const [row] = await app.sql`select (select min(hour) from postern.event_counts) >=
    (select date_trunc('hour', min(created_at)) from postern.auth_events) as gone`
  t.ok(row?.gone)
})

t.test('several instances may sum up at once', async (t) => {
  const app = await createAdminApp(t)
  await ordinaryTraffic(app.sql, { events: 3000, seconds: 20 * 86_400, users: 50 })
  await Promise.all(Array.from({ length: 4 }, () => app.app.monitoring.sumUp()))
  await app.app.monitoring.sumUp()
  const [row] = await app.sql`select
    (select sum(answers) from postern.event_counts) = (select sum(coalesce((details->>'count')::int, 1)) from postern.auth_events
      where created_at < (select max(hour) + interval '1 hour' from postern.event_counts)) as same`
  t.ok(row?.same)
})

t.test('a span or a bucket that makes no sense is refused', async (t) => {
  const app = await createAdminApp(t)
  const broken = [
    'window=4m',
    'window=91d',
    'window=x',
    'window=',
    'bucket=30s',
    'bucket=25h',
    'bucket=90m',
    'bucket=x',
    'window=3d&bucket=30m',
    'window=2d&bucket=1m',
    'window=1h&window=2h',
    'from=2026-01-01T00:00:00Z'
  ]
  for (const query of broken) {
    t.match(await app.call('GET', `/stats?${query}`), { status: 400, body: { code: 'invalid_request' } }, query)
  }
})
