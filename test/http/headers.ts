import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { SECURITY_HEADERS } from '../../src/lib/security-headers.js'
import { createShell, listen, raw } from '../fixtures/shell.js'

function routes(scope: FastifyInstance): void {
  scope.get('/auth/hello', async () => ({}))
  scope.get('/auth/keys', async (_request, reply) => reply.header('cache-control', 'public, max-age=300').send({}))
  scope.get('/auth/fails', async () => {
    throw new Error('x')
  })
  scope.delete('/auth/gone', async (_request, reply) => reply.code(204).send())
}

const REQUESTS: Record<string, number> = {
  'GET /auth/hello': 200,
  'HEAD /auth/hello': 200,
  'DELETE /auth/gone': 204,
  'GET /auth/nothing': 404,
  'HEAD /auth/nothing': 404,
  'POST /auth/hello': 405,
  'TRACE /auth/hello': 405,
  'GET /auth/hello?x': 400,
  'GET /auth/%zz': 400,
  'GET /auth/fails': 500,
  'OPTIONS *': 404
}

t.test('every answer has the security headers, of whatever origin it is', async (t) => {
  const port = await listen(await createShell(t, routes))
  for (const [line, status] of Object.entries(REQUESTS)) {
    const [answer] = await raw(
      port,
      `${line} HTTP/1.1\r\nHost: a\r\nX-Request-Id: my.request_id-1\r\nConnection: close\r\n\r\n`
    )
    t.match(answer, { status, headers: { ...SECURITY_HEADERS, 'x-request-id': 'my.request_id-1' } }, line)
    for (const name of ['server', 'x-powered-by', 'strict-transport-security', 'access-control-allow-origin', 'vary']) {
      t.notOk(name in (answer?.headers ?? {}), `${line}: no ${name}`)
    }
  }
})

t.test('a route may make its answer cacheable', async (t) => {
  const app = await createShell(t, routes)
  t.equal((await app.inject('/auth/keys')).headers['cache-control'], 'public, max-age=300')
})

t.test('a request id is taken over when it is harmless, and is a UUIDv7 otherwise', async (t) => {
  const app = await createShell(t, routes)
  for (const id of ['12345678', 'a'.repeat(128), 'Az09._-x', '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a']) {
    const answer = await app.inject({ url: '/auth/hello', headers: { 'x-request-id': id } })
    t.equal(answer.headers['x-request-id'], id)
  }
  const made = new Set()
  for (const id of [
    '',
    '1234567',
    'a'.repeat(129),
    'with space',
    'a,b,c,d,e',
    '<script>',
    'ключ-ключ',
    'a\tb_______'
  ]) {
    const answer = await app.inject({ url: '/auth/nothing', headers: { 'x-request-id': id } })
    const given = answer.headers['x-request-id'] as string
    t.match(given, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, id)
    t.equal(answer.json().request_id, given)
    made.add(given)
  }
  t.equal(made.size, 8)
})

t.test('two request ids are none', async (t) => {
  const port = await listen(await createShell(t, routes))
  const [answer] = await raw(
    port,
    'GET /auth/hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: 12345678\r\nX-Request-Id: 12345678\r\n\r\n'
  )
  t.match(answer?.headers['x-request-id'], /^[0-9a-f-]{36}$/)
})

t.test('two Authorization headers are refused on every route, in any case and however equal', async (t) => {
  const port = await listen(await createShell(t, routes))
  for (const [line, headers] of [
    ['GET /auth/hello', 'Authorization: Bearer a\r\nAuthorization: Bearer b'],
    ['GET /auth/hello', 'Authorization: Bearer a\r\nauthorization: Bearer a'],
    ['GET /auth/hello', 'AUTHORIZATION: Bearer a\r\nX: y\r\naUTHORIZATION:'],
    ['GET /auth/nothing', 'Authorization: a\r\nAuthorization: b'],
    ['POST /auth/hello', 'Authorization: a\r\nAuthorization: b'],
    ['GET /auth/hello', 'Content-Type: application/json\r\nContent-Type: text/plain']
  ] as const) {
    const [answer] = await raw(port, `${line} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n`)
    t.match(answer, { status: 400, body: /"code":"invalid_request"/ }, headers)
  }
  const [answer] = await raw(port, 'GET /auth/hello HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\n\r\n')
  t.equal(answer?.status, 200)
})
