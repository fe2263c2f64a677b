import { createRequire } from 'node:module'
import t from 'tap'
import { createApp, newUser, password } from '../fixtures/app.js'
import { createCollector } from '../fixtures/collector.js'

const loaded = () =>
  Object.keys(createRequire(import.meta.url).cache).filter((path) =>
    /\/@fastify\/otel\/|\/@opentelemetry\/sdk-/.test(path)
  )

t.test('without OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is loaded', async (t) => {
  const { http, app } = await createApp(t)
  t.equal((await http('GET', '/auth/settings')).status, 200)
  t.notOk(app.hasRequestDecorator('opentelemetry'))
  t.strictSame(loaded(), [])
})

t.test(
  'each request is a span with its route, its status and its request id, and its handler is another in it',
  async (t) => {
    const collector = await createCollector(t)
    const { http, app } = await createApp(t, { config: { otlpEndpoint: collector.url } })
    const user = await newUser(http)
    const { headers } = await http('GET', `/auth/users/${user.user_id}`, { token: user.token })
    await http('GET', '/auth/users/nonsense', { token: user.token })
    await http('GET', '/nothing')
    for (const path of ['/livez', '/readyz?verbose', '/metrics']) await http('GET', path)
    await app.close()

    t.ok(loaded().length > 0)
    t.match(new Set(collector.paths), new Set(['/v1/traces']))
    const spans = collector.spans()
    const requests = spans.filter(({ attributes }) => attributes['fastify.root'] === '@fastify/otel')
    t.strictSame(
      requests.map(({ name, attributes }) => `${name} ${attributes['http.response.status_code']}`),
      ['POST /auth/signup 201', 'GET /auth/users/:user_id 200', 'GET /auth/users/:user_id 400', 'GET 404']
    )
    const [, request] = requests
    t.equal(request?.attributes['postern.request_id'], headers['x-request-id'])
    t.equal(request?.attributes['http.route'], '/auth/users/:user_id')
    const handler = spans.find(({ parentSpanId }) => parentSpanId === request?.spanId)
    t.match(handler, { traceId: request?.traceId, attributes: { 'fastify.type': 'request-handler' } })
    t.match(collector.bodies[0], /"service\.name".{0,40}"postern"/)
  }
)

t.test('a trace says nothing of a user, and nothing that a client sent but the request id', async (t) => {
  const collector = await createCollector(t)
  const { http, app, sql } = await createApp(t, { config: { otlpEndpoint: collector.url } })
  const user = await newUser(http)
  const headers = { 'user-agent': 'canary-agent', 'x-forwarded-for': '203.0.113.77', 'x-request-id': 'request-0001' }
  await http('GET', `/auth/users/${user.user_id}?canary=1`, { token: user.token, headers })
  await http('GET', `/auth/verify/api/${user.user_id}/canary?canary=1`, { token: user.token, headers })
  await http('GET', '/canary', { headers })
  await http('POST', '/auth/login', { body: { email: 'canary@example.com', password: 'Canary1horse' }, headers })
  await http('POST', '/auth/refresh', { body: { refresh_token: user.refresh_token }, headers })
  await http('GET', '/auth/me', { token: 'canary.token.x', headers })
  // A fault of ours, whose message has the parameters of the statement in it.
  await sql`alter table postern.users rename column password_hash to other`
  t.equal((await http('POST', '/auth/login', { body: { email: user.email, password }, headers })).status, 500)
  await app.close()

  const text = collector.bodies.join('\n')
  t.match(text, 'request-0001')
  t.notMatch(text, /canary/i)
  t.notMatch(text, /203\.0\.113|127\.0\.0\.1/)
  for (const secret of [user.user_id, user.email, user.token, user.refresh_token, 'password_hash']) {
    t.notOk(text.includes(secret), secret)
  }
  const failed = collector.spans().filter(({ status }) => status.code !== 0)
  t.match(failed, [{ name: 'POST /auth/login', status: { code: 2 } }], 'a refusal is no error')
  t.equal(failed.length, 1)
})

t.test("a gateway's trace goes on here, and it decides what is traced", async (t) => {
  const collector = await createCollector(t)
  const { http, app } = await createApp(t, { config: { otlpEndpoint: collector.url, tracesShare: 0 } })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const traceparent = (flags: string) => ({ headers: { traceparent: `00-${traceId}-b7ad6b7169203331-${flags}` } })
  await http('GET', '/auth/settings', traceparent('01'))
  await http('GET', '/auth/.well-known/jwks.json', traceparent('00'))
  await http('GET', '/auth/me')
  await app.close()
  const spans = collector.spans()
  t.strictSame([...new Set(spans.map((span) => span.attributes['http.route']))], ['/auth/settings'])
  t.ok(spans.every((span) => span.traceId === traceId))
  t.ok(spans.some(({ parentSpanId }) => parentSpanId === 'b7ad6b7169203331'))
})

t.test('without its collector the service answers as always, and ends', async (t) => {
  const { http, app } = await createApp(t, { config: { otlpEndpoint: 'http://127.0.0.1:1' } })
  const { token } = await newUser(http)
  t.equal((await http('GET', '/auth/me', { token })).status, 200)
  await app.close()
  t.equal(app.database.state(), 'unavailable', 'it has ended')
})
