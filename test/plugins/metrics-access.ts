import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { eventLoopSampler } from '../../src/plugins/metrics/event-loop.js'
import { createApp, newUser, testConfig } from '../fixtures/app.js'
import { parseExposition, valueIn } from '../fixtures/exposition.js'

const metricsToken = 'Zm9yLXRoZS10ZXN0cy1vZi1tZXRyaWNz.-_~+/=='

t.test('without METRICS_TOKEN /metrics asks for nothing', async (t) => {
  const { http } = await createApp(t)
  const { status, headers } = await http('GET', '/metrics', { token: 'anything' })
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(headers['cache-control'], 'no-store')
})

t.test('with METRICS_TOKEN /metrics answers that bearer alone', async (t) => {
  const { http } = await createApp(t, { config: { metricsToken } })
  t.equal((await http('GET', '/metrics', { token: metricsToken })).status, 200)
  t.equal((await http('GET', '/metrics', { headers: { authorization: `bearer ${metricsToken}` } })).status, 200)

  const none = await http('GET', '/metrics')
  t.match(none, {
    status: 401,
    body: { code: 'missing_token' },
    headers: { 'www-authenticate': 'Bearer realm="postern"' }
  })
  t.equal((await http('GET', '/metrics', { headers: { authorization: `Basic ${metricsToken}` } })).status, 401)
  t.equal((await http('HEAD', '/metrics')).status, 401)

  const { token } = await newUser(http)
  const wrong = [metricsToken.slice(0, -1), `${metricsToken}=`, metricsToken.toLowerCase(), 'x', token]
  for (const presented of wrong) {
    const { status, body } = await http('GET', '/metrics', { token: presented })
    t.match({ status, body }, { status: 401, body: { code: 'invalid_token' } }, presented)
  }
})

t.test('a wrong token for /metrics is an event, and no check of an access token', async (t) => {
  const { app, http, sql } = await createApp(t, { config: { metricsToken } })
  for (let attempt = 0; attempt < 3; attempt += 1) await http('GET', '/metrics', { token: 'canary' })
  await http('GET', '/metrics')
  await app.events.flush()
  const rows = await sql`select event_type, failure_reason, success, details::text from postern.auth_events
    where event_type = 'token_rejected' order by created_at`
  t.match(rows, [
    { failure_reason: 'wrong_metrics_token', success: false, details: '{"count": 1}' },
    { failure_reason: 'wrong_metrics_token', success: false, details: '{"count": 2}' }
  ])
  t.equal(rows.length, 2)
  const { raw } = await http('GET', '/metrics', { token: metricsToken })
  t.equal(valueIn(raw, 'postern_events_total', { type: 'token_rejected', result: 'failure' }), 3)
  for (const { labels, value } of parseExposition(raw).get('postern_token_checks_total')?.series ?? []) {
    t.equal(value, 0, String(labels.reason))
  }
  t.equal(valueIn(raw, 'postern_missing_tokens_total'), 0)
})

t.test('/metrics is outside /auth, where a gateway does not reach it', async (t) => {
  const { http } = await createApp(t)
  t.equal((await http('GET', '/auth/metrics')).status, 404)
})

t.test('the metrics are there without the database, but for what only it knows', async (t) => {
  const app = await buildApp({ config: testConfig('postgres://nobody@127.0.0.1:1/none', { metricsToken }) })
  t.teardown(() => app.close())
  await app.ready()
  const answer = await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${metricsToken}` } })
  t.equal(answer.statusCode, 200)
  t.equal(valueIn(answer.body, 'postern_database_state', { state: 'ready' }), 0)
  const exposed = parseExposition(answer.body)
  for (const name of ['postern_sessions', 'postern_signing_keys', 'postern_signing_key_age_seconds']) {
    t.strictSame(exposed.get(name)?.series, [], name)
  }
})

t.test('sessions are counted while they are few, and asked for at most once a minute', async (t) => {
  const { http } = await createApp(t)
  const sessions = async () => valueIn((await http('GET', '/metrics')).raw, 'postern_sessions')
  await newUser(http)
  t.equal(await sessions(), 1)
  await newUser(http)
  t.equal(await sessions(), 1)
})

t.test('many sessions are estimated without reading them', async (t) => {
  const { app, http, sql } = await createApp(t)
  const { user_id } = await newUser(http)
  await sql`alter table postern.sessions set (autovacuum_enabled = false)`
  await sql`insert into postern.sessions (id, user_id, expires_at)
    select gen_random_uuid(), ${user_id}, now() + (n % 3 - 1) * interval '1 day' + interval '1 hour'
    from generate_series(1, 60000) n`
  await sql`analyze postern.sessions`
  const estimate = await app.sessions.estimateLive()
  t.ok(estimate > 36_000 && estimate < 44_000, `${estimate} of 40001`)
  // The statistics do not know it yet; whoever counts would see it.
  await sql`delete from postern.sessions`
  t.equal(await app.sessions.estimateLive(), estimate)
})

t.test('a halt of the event loop counts for each tenth of a second that it took', async (t) => {
  const delays: number[] = []
  const { start, stop } = eventLoopSampler((seconds) => delays.push(seconds))
  start()
  const until = performance.now() + 450
  while (performance.now() < until);
  while (delays.length === 0) await sleep(5)
  stop()
  t.ok(delays.length >= 4, `${delays.length} samples`)
  t.ok((delays[0] ?? 0) >= 0.35)
  t.strictSame(
    delays,
    delays.toSorted((a, b) => b - a)
  )
  t.ok(delays.every((delay) => delay >= 0))
})
