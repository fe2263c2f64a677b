import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { HTTP_LIMITS } from '../../src/http-options.js'
import { createShell, listen, parse, readToEnd } from '../fixtures/shell.js'

const limits = { headersTimeoutMs: 150, requestTimeoutMs: 300, keepAliveTimeoutMs: 200, checkIntervalMs: 20 }

function routes(scope: FastifyInstance): void {
  scope.get('/auth/hello', async () => ({}))
  scope.post('/auth/echo', { schema: { body: {} } }, async () => ({}))
}

t.test('the limits of the contract are the ones in force', async (t) => {
  const { server } = await createShell(t, routes)
  t.equal(server.headersTimeout, 10_000)
  t.equal(server.requestTimeout, 15_000)
  t.equal(server.keepAliveTimeout, 75_000)
  t.equal(server.maxHeadersCount, 0)
  t.strictSame(HTTP_LIMITS.headerBytes, 16 * 1024)
  t.strictSame(HTTP_LIMITS.bodyBytes, 16 * 1024)
  t.ok(HTTP_LIMITS.checkIntervalMs <= 1000)
})

for (const [name, text] of Object.entries({
  'a connection that says nothing': '',
  'headers that never end': 'GET /auth/hello HTTP/1.1\r\nHost: a\r\n',
  'a body that never ends':
    'POST /auth/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{',
  'chunks that never end':
    'POST /auth/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n'
})) {
  t.test(`${name}: request_timeout, whole, once, and the connection ends`, async (t) => {
    const socket = connect(await listen(await createShell(t, routes, { limits })), '127.0.0.1')
    if (text !== '') socket.write(text)
    const answers = parse(await readToEnd(socket))
    t.match(answers, [
      {
        status: 408,
        headers: { connection: 'close', 'cache-control': 'no-store', 'content-type': /problem\+json/ },
        body: /"code":"request_timeout"/
      }
    ])
    t.equal(answers.length, 1)
  })
}

t.test('headers that come byte by byte do not extend the time', async (t) => {
  const socket = connect(await listen(await createShell(t, routes, { limits })), '127.0.0.1')
  const received = readToEnd(socket)
  socket.write('GET /auth/hello HTTP/1.1\r\nHost: a\r\nX: ')
  const drip = setInterval(() => socket.writable && socket.write('a'), 20)
  const answers = parse(await received)
  clearInterval(drip)
  t.equal(answers[0]?.status, 408)
})

t.test('an idle connection ends without a word', async (t) => {
  const socket = connect(await listen(await createShell(t, routes, { limits })), '127.0.0.1')
  socket.write('GET /auth/hello HTTP/1.1\r\nHost: a\r\n\r\n')
  const answers = parse(await readToEnd(socket))
  t.strictSame(
    answers.map(({ status }) => status),
    [200]
  )
})

t.test('an unread body of an answered request does not get a second answer', async (t) => {
  const socket = connect(await listen(await createShell(t, routes, { limits })), '127.0.0.1')
  socket.write('POST /auth/nothing HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{')
  const answers = parse(await readToEnd(socket))
  t.strictSame(
    answers.map(({ status }) => status),
    [404]
  )
})

t.test('a handler that takes longer than a request may is not cut off', async (t) => {
  const app = await createShell(
    t,
    (scope) => {
      scope.get('/auth/slow', async () => {
        await delay(500)
        return {}
      })
    },
    { limits }
  )
  const socket = connect(await listen(app), '127.0.0.1')
  socket.write('GET /auth/slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  t.equal(parse(await readToEnd(socket))[0]?.status, 200)
})
