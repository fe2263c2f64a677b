import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createShell } from '../fixtures/shell.js'

const origin = 'https://app.example'

function routes(scope: FastifyInstance): void {
  scope.get('/auth/me', async () => ({}))
  scope.get('/metrics', async () => ({}))
  scope.post('/auth/login', { schema: { body: { type: 'object' } } }, async () => ({}))
}

const preflight = (from: string) => ({
  method: 'OPTIONS' as const,
  url: '/auth/login',
  headers: { origin: from, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' }
})

const corsHeaders = (headers: object) => Object.keys(headers).filter((name) => name.startsWith('access-control-'))

t.test('nothing is said about CORS unless origins are configured', async (t) => {
  const app = await createShell(t, routes)
  const answer = await app.inject({ url: '/auth/me', headers: { origin } })
  t.strictSame(corsHeaders(answer.headers), [])
  t.equal(answer.headers.vary, undefined)
  const options = await app.inject(preflight(origin))
  t.match([options.statusCode, options.headers.allow], [405, 'POST'])
})

t.test('a configured origin may read every answer, refusals too, without credentials', async (t) => {
  const app = await createShell(t, routes, { corsOrigins: [origin, 'http://localhost:5173'] })
  for (const from of [origin, 'http://localhost:5173']) {
    for (const [url, status] of [
      ['/auth/me', 200],
      ['/auth/nothing', 404],
      ['/auth/login', 405],
      ['/auth/me?x', 400]
    ] as const) {
      const { statusCode, headers } = await app.inject({ url, headers: { origin: from } })
      t.equal(statusCode, status)
      t.equal(headers['access-control-allow-origin'], from)
      t.equal(headers['access-control-allow-credentials'], undefined)
      t.equal(
        headers['access-control-expose-headers'],
        'RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id'
      )
      t.equal(headers.vary, 'Origin')
    }
  }
})

t.test('a preflight of a configured origin is answered', async (t) => {
  const app = await createShell(t, routes, { corsOrigins: [origin] })
  const { statusCode, headers, body } = await app.inject(preflight(origin))
  t.match([statusCode, body], [204, ''])
  t.match(headers, {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
    'access-control-allow-headers': 'Authorization, Content-Type, X-Request-Id',
    'access-control-max-age': '600',
    'cache-control': 'no-store',
    vary: 'Origin'
  })
})

t.test('what operators call says nothing about CORS, and takes no preflight', async (t) => {
  const app = await createShell(t, routes, { corsOrigins: [origin] })
  const answer = await app.inject({ url: '/metrics', headers: { origin } })
  t.strictSame([answer.statusCode, corsHeaders(answer.headers)], [200, []])
  for (const url of ['/metrics', '/admin/api/users', '/auth', '//auth/login']) {
    const { statusCode, headers } = await app.inject({ ...preflight(origin), url })
    t.ok([404, 405].includes(statusCode), `${url}: ${statusCode}`)
    t.strictSame(corsHeaders(headers), [], url)
  }
})

t.test('any other origin gets no header but Vary, and no preflight', async (t) => {
  const app = await createShell(t, routes, { corsOrigins: [origin] })
  for (const from of [
    'https://evil.example',
    'null',
    '*',
    'https://app.example.evil.example',
    'https://app.example:8443',
    'http://app.example',
    'https://APP.example',
    'https://app.example/',
    ''
  ]) {
    const answer = await app.inject({ url: '/auth/me', headers: { origin: from } })
    t.strictSame([answer.statusCode, corsHeaders(answer.headers), answer.headers.vary], [200, [], 'Origin'], from)
    const options = await app.inject(preflight(from))
    t.match([options.statusCode, options.json().code], [405, 'method_not_allowed'])
    t.strictSame(corsHeaders(options.headers), [])
  }
})

t.test('OPTIONS without an origin is 404 or 405 as without CORS, whatever its body', async (t) => {
  const app = await createShell(t, routes, { corsOrigins: [origin] })
  for (const [url, status] of [
    ['/auth/login', 405],
    ['/auth/nothing', 404]
  ] as const) {
    t.equal((await app.inject({ method: 'OPTIONS', url })).statusCode, status)
    const payload = 'x'
    const answer = await app.inject({ method: 'OPTIONS', url, payload, headers: { 'content-type': 'text/plain' } })
    t.equal(answer.statusCode, status)
  }
})
