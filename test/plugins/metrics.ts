import t from 'tap'
import { EVENT_TYPES } from '../../src/events.js'
import { type MetricDefinition, seriesOf } from '../../src/plugins/metrics/definition.js'
import { METRICS } from '../../src/plugins/metrics/table.js'
import { createApp, newUser, password, uniqueEmail } from '../fixtures/app.js'
import { parseExposition, valueIn } from '../fixtures/exposition.js'

const unlimited = { login: undefined, signup: undefined, refresh: undefined }

/** A service, and what one of its series has gained since. */
async function createMetered(t: Parameters<typeof createApp>[0], options: Parameters<typeof createApp>[1] = {}) {
  const app = await createApp(t, options)
  const scrape = async () => (await app.http('GET', '/metrics')).raw
  const value = async (name: string, labels?: Record<string, string>) => valueIn(await scrape(), name, labels)
  return { ...app, scrape, value }
}

t.test(
  '/metrics has the metrics of the table and no other, with their types, their help and their labels',
  async (t) => {
    const { http, scrape } = await createMetered(t)
    const { token } = await newUser(http)
    await http('GET', '/auth/me', { token })
    const exposed = parseExposition(await scrape())
    t.strictSame([...exposed.keys()], Object.keys(METRICS))
    for (const [name, definition] of Object.entries<MetricDefinition>(METRICS)) {
      const { type, help, series } = exposed.get(name) ?? { type: '', help: '', series: [] }
      t.equal(type, definition.type, name)
      t.equal(help, definition.help, name)
      t.ok(series.length > 0, `${name} has a series`)
      const labels = new Set(series.flatMap((one) => Object.keys(one.labels)))
      if (type === 'histogram') labels.delete('le')
      t.strictSame([...labels].sort(), Object.keys(definition.labels ?? {}).sort(), name)
    }
  }
)

t.test('every series that a metric can have is there from the start, and no label has another value', async (t) => {
  const { scrape } = await createMetered(t)
  const exposed = parseExposition(await scrape())
  for (const [name, definition] of Object.entries<MetricDefinition>(METRICS)) {
    const expected = seriesOf(definition)
    if (expected === undefined || definition.type === 'histogram') continue
    const found = exposed.get(name)?.series.map(({ labels }) => labels) ?? []
    t.same(new Set(found.map(textOf)), new Set(expected.map(textOf)), name)
  }
})

const textOf = (labels: Record<string, string>) => JSON.stringify(Object.entries(labels).sort())

t.test('names follow the conventions of Prometheus', async (t) => {
  for (const [name, { type, help, labels = {} }] of Object.entries<MetricDefinition>(METRICS)) {
    t.match(name, /^(?:postern|process|nodejs)_[a-z_]+[a-z]$/)
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: a counter, and nothing else, is a _total`)
    if (type === 'histogram') t.match(name, /_seconds$/)
    t.notMatch(help, /[\n\\]|\.$/)
    for (const label of Object.keys(labels)) t.match(label, /^(?!le$|quantile$|job$|instance$)[a-z_]+$/)
  }
})

t.test('logins are counted by result and reason', async (t) => {
  const { http, scrape } = await createMetered(t, {
    config: { rateLimits: { ...unlimited, login: { max: 4, windowSeconds: 60 } } }
  })
  const { email } = await newUser(http)
  const login = (body: unknown) => http('POST', '/auth/login', { body })
  await login({ email, password })
  await login({ email, password: 'Wrong1horse' })
  await login({ email: uniqueEmail(), password })
  await login({ email })
  await login({ email, password })
  await login({ email, password })
  const text = await scrape()
  const logins = (reason: string) => valueIn(text, 'postern_logins_total', { reason })
  t.equal(logins('none'), 1)
  t.equal(valueIn(text, 'postern_logins_total', { result: 'success' }), 1)
  t.equal(logins('wrong_password'), 1)
  t.equal(logins('unknown_email'), 1)
  t.equal(logins('invalid_request'), 1)
  t.equal(logins('rate_limited'), 2)
  t.equal(valueIn(text, 'postern_rate_limited_total', { limit: 'login' }), 2)
  t.equal(valueIn(text, 'postern_rate_limited_total', { limit: 'signup' }), 0)
})

t.test('an account that has to wait is a login that failed for that reason', async (t) => {
  const { http, value } = await createMetered(t, { config: { rateLimits: unlimited } })
  const body = { email: uniqueEmail(), password }
  for (let attempt = 0; attempt < 12; attempt += 1) await http('POST', '/auth/login', { body })
  t.equal(await value('postern_logins_total', { reason: 'unknown_email' }), 10)
  t.equal(await value('postern_logins_total', { reason: 'account_throttled' }), 2)
})

t.test('signups are counted by result and reason, and each password that was hashed', async (t) => {
  const { http, scrape } = await createMetered(t, { config: { rateLimits: unlimited } })
  const { email } = await newUser(http)
  await http('POST', '/auth/signup', { body: { email, password } })
  await http('POST', '/auth/signup', { body: { email: uniqueEmail(), password: 'weak' } })
  const text = await scrape()
  for (const reason of ['none', 'email_taken', 'weak_password']) {
    t.equal(valueIn(text, 'postern_signups_total', { reason }), 1, reason)
  }
  t.equal(valueIn(text, 'postern_hash_seconds_count'), 2)
  t.ok(valueIn(text, 'postern_hash_seconds_sum') > 0)
})

t.test('refreshes are counted by result and reason; a reused token is one of them', async (t) => {
  const { http, scrape } = await createMetered(t, { config: { refreshReuseIntervalSeconds: 0 } })
  const { refresh_token } = await newUser(http)
  const refresh = (token: string) => http('POST', '/auth/refresh', { body: { refresh_token: token } })
  await refresh(refresh_token)
  t.equal((await refresh(refresh_token)).body.code, 'refresh_token_reused')
  await refresh(refresh_token)
  await refresh('prt_nonsense')
  const text = await scrape()
  for (const reason of ['none', 'refresh_reused', 'session_ended', 'refresh_malformed']) {
    t.equal(valueIn(text, 'postern_refreshes_total', { reason }), 1, reason)
  }
})

t.test(
  'a bearer counts once: as good, or by the reason of its refusal; a request without one counts apart',
  async (t) => {
    const { http, scrape } = await createMetered(t)
    const { token } = await newUser(http)
    await http('GET', '/auth/me', { token })
    await http('GET', '/auth/me', { token })
    await http('GET', '/auth/me', { token: 'nonsense' })
    await http('GET', '/auth/me')
    await http('POST', '/auth/logout', { token })
    await http('GET', '/auth/me', { token })
    const text = await scrape()
    t.equal(valueIn(text, 'postern_token_checks_total', { result: 'success' }), 3)
    t.equal(valueIn(text, 'postern_token_checks_total', { reason: 'token_malformed' }), 1)
    t.equal(valueIn(text, 'postern_token_checks_total', { reason: 'session_ended' }), 1)
    t.equal(valueIn(text, 'postern_missing_tokens_total'), 1)
    t.equal(valueIn(text, 'postern_session_checks_total', { result: 'live' }), 2)
    t.equal(valueIn(text, 'postern_session_checks_total', { result: 'ended' }), 1)
    t.equal(valueIn(text, 'postern_session_check_queries_total'), 3)
  }
)

t.test('events are counted as the audit trail has them, repeats of a flood included', async (t) => {
  const { http, app, sql, scrape } = await createMetered(t)
  const { token, user_id } = await newUser(http)
  for (let attempt = 0; attempt < 5; attempt += 1) await http('GET', '/auth/me', { token: 'nonsense' })
  for (let attempt = 0; attempt < 7; attempt += 1) await http('POST', '/auth/login', { body: { email: user_id } })
  await http('POST', '/auth/logout', { token })
  await app.events.flush()
  const text = await scrape()
  const rows = await sql`select event_type, success, sum(coalesce((details->>'count')::int, 1))::int as count
    from postern.auth_events group by 1, 2`
  for (const type of Object.keys(EVENT_TYPES)) {
    for (const success of [true, false]) {
      const row = rows.find((one) => one.event_type === type && one.success === success)
      const labels = { type, result: success ? 'success' : 'failure' }
      t.equal(valueIn(text, 'postern_events_total', labels), row?.count ?? 0, `${type} ${success}`)
    }
  }
})

t.test('requests are timed by the pattern of their route, and the paths of nobody are one', async (t) => {
  const { http, app, scrape } = await createMetered(t)
  const { token, user_id } = await newUser(http)
  await http('GET', `/auth/users/${user_id}`, { token })
  for (const path of ['/wp-login.php', '/.env', '/auth/users', '/metrics/x']) await http('GET', path)
  await app.inject({ method: 'PROPFIND' as 'GET', url: '/secret-path' })
  const text = await scrape()
  const requests = (route: string, status: string) =>
    valueIn(text, 'postern_http_request_seconds_count', { route, status })
  t.equal(requests('/auth/signup', '2xx'), 1)
  t.equal(requests('/auth/users/:user_id', '2xx'), 1)
  t.equal(requests('unrouted', '4xx'), 5)
  const routes = new Set(
    parseExposition(text)
      .get('postern_http_request_seconds')
      ?.series.map(({ labels }) => labels.route)
  )
  const known = ['unrouted', '/auth/signup', '/auth/users/:user_id', '/metrics']
  for (const route of routes) t.ok(known.includes(String(route)), String(route))
})

t.test('nothing of a user and nothing that a client sent is in the metrics', async (t) => {
  const { http, scrape } = await createMetered(t)
  const user = await newUser(http)
  const headers = { 'user-agent': 'canary-agent', 'x-request-id': 'canary-request', 'x-forwarded-for': '203.0.113.77' }
  await http('GET', `/auth/users/${user.user_id}?canary-query=1`, { token: user.token, headers })
  await http('GET', '/canary-path', { headers })
  await http('POST', '/auth/login', { body: { email: 'canary@example.com', password: 'Canary1horse' }, headers })
  await http('GET', '/auth/me', { token: 'canary.token.x', headers })
  const text = await scrape()
  t.notMatch(text, /canary/i)
  t.notMatch(text, /203\.0\.113|127\.0\.0\.1/)
  for (const secret of [user.user_id, user.email, user.token]) t.notOk(text.includes(secret))
})

t.test('forwarded headers that nobody trusts are counted', async (t) => {
  const { http, value } = await createMetered(t)
  await http('GET', '/livez', { headers: { 'x-forwarded-for': '203.0.113.7' } })
  await http('GET', '/livez')
  t.equal(await value('postern_untrusted_forwarded_total'), 1)
})

t.test('passwords that were not hashed because too many waited are counted', async (t) => {
  const { http, scrape } = await createMetered(t, {
    config: { rateLimits: unlimited, hashConcurrency: 1, hashQueueSeconds: 0.000_001 }
  })
  const body = () => ({ email: uniqueEmail(), password })
  const answers = await Promise.all(Array.from({ length: 12 }, () => http('POST', '/auth/signup', { body: body() })))
  const shed = answers.filter(({ body: { code } }) => code === 'overloaded').length
  t.ok(shed > 0)
  const text = await scrape()
  t.equal(valueIn(text, 'postern_hashes_refused_total'), shed)
  t.equal(valueIn(text, 'postern_signups_total', { reason: 'overloaded' }), shed)
  t.equal(valueIn(text, 'postern_hash_seconds_count'), 12 - shed)
})

t.test('scrapes at the same moment read the same, and count nothing twice', async (t) => {
  const { http, app, scrape } = await createMetered(t)
  const { token } = await newUser(http)
  await http('GET', '/auth/me', { token })
  const texts = await Promise.all([scrape(), scrape(), scrape()])
  for (const text of [...texts, await scrape()]) {
    t.equal(valueIn(text, 'postern_token_checks_total', { result: 'success' }), app.access.acceptedTokens())
    t.equal(valueIn(text, 'postern_session_checks_total', { result: 'live' }), 1)
    t.equal(valueIn(text, 'postern_events_total', { type: 'signup', result: 'success' }), 1)
  }
})

t.test('two services in one process count for themselves', async (t) => {
  const one = await createMetered(t)
  const other = await createMetered(t)
  await newUser(one.http)
  t.equal(await one.value('postern_signups_total', { result: 'success' }), 1)
  t.equal(await other.value('postern_signups_total', { result: 'success' }), 0)
})

t.test('the current key grows older, and a rotation leaves a previous one', async (t) => {
  const { app, clock, value } = await createMetered(t)
  clock.advance('2h')
  t.ok((await value('postern_signing_key_age_seconds')) >= 7200)
  await app.keys.rotate({ force: true })
  t.ok((await value('postern_signing_key_age_seconds')) < 60)
  for (const state of ['next', 'current', 'previous']) t.equal(await value('postern_signing_keys', { state }), 1, state)
})
