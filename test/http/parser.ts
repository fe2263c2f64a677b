import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { ApiError } from '../../src/errors.js'
import { SECURITY_HEADERS } from '../../src/lib/security-headers.js'
import { createShell, ISSUER, listen, parse, raw, readToEnd } from '../fixtures/shell.js'

const JSON_POST = 'POST /auth/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'

function routes(scope: FastifyInstance): void {
  scope.get('/auth/hello', async () => ({ hello: true }))
  scope.get('/auth/slow', async () => {
    await delay(100)
    return { slow: true }
  })
  scope.post('/auth/echo', { schema: { body: {} } }, async (request) => ({ body: request.body }))
  scope.post(
    '/auth/guarded',
    {
      schema: { body: {} },
      onRequest: async () => {
        await delay(50)
        throw new ApiError('missing_token')
      }
    },
    async () => ({})
  )
  scope.post('/auth/patient', { schema: { body: {} }, onRequest: async () => delay(50) }, async () => ({}))
}

const MALFORMED: Record<string, string> = {
  'Content-Length and Transfer-Encoding': `${JSON_POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding and Content-Length': `${JSON_POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  'two equal Content-Length headers': `${JSON_POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`,
  'a list as Content-Length': `${JSON_POST}Content-Length: 2, 2\r\n\r\n{}`,
  'a signed Content-Length': `${JSON_POST}Content-Length: +2\r\n\r\n{}`,
  'a negative Content-Length': `${JSON_POST}Content-Length: -2\r\n\r\n{}`,
  'Transfer-Encoding identity': `${JSON_POST}Transfer-Encoding: identity\r\n\r\n`,
  'a coding besides chunked': `${JSON_POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  'a coding after chunked': `${JSON_POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  'an unknown coding': `${JSON_POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'two Transfer-Encoding headers': `${JSON_POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding under HTTP/1.0':
    'POST /auth/echo HTTP/1.0\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  'a chunk size that is no number': `${JSON_POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  'a chunk longer than its size': `${JSON_POST}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`,
  'bare LF in chunks': `${JSON_POST}Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n`,
  'bare LF everywhere': 'GET /auth/hello HTTP/1.1\nHost: a\n\n',
  'bare LF after a header': 'GET /auth/hello HTTP/1.1\r\nHost: a\nX: b\r\n\r\n',
  'bare CR in a header': 'GET /auth/hello HTTP/1.1\r\nHost: a\rX: b\r\n\r\n',
  'a folded header': 'GET /auth/hello HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n',
  'a folded Authorization': 'GET /auth/hello HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer\r\n\tx\r\n\r\n',
  'a space before the colon': 'GET /auth/hello HTTP/1.1\r\nHost : a\r\n\r\n',
  'a space before the first header': 'GET /auth/hello HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n',
  'NUL in a header': 'GET /auth/hello HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n',
  'no Host': 'GET /auth/hello HTTP/1.1\r\n\r\n',
  'two Host headers': 'GET /auth/hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n',
  'two Host headers in two spellings': 'GET /auth/hello HTTP/1.1\r\nhost: a\r\nHOST: b\r\n\r\n',
  'HTTP/2.0 in the request line': 'GET /auth/hello HTTP/2.0\r\nHost: a\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'HTTP/1.2': 'GET /auth/hello HTTP/1.2\r\nHost: a\r\n\r\n',
  'HTTP/0.9': 'GET /auth/hello\r\n\r\n',
  'a method in lower case': 'get /auth/hello HTTP/1.1\r\nHost: a\r\n\r\n',
  'a method that does not exist': 'FOO /auth/hello HTTP/1.1\r\nHost: a\r\n\r\n',
  'a fragment in the target': 'GET /auth/hello#x HTTP/1.1\r\nHost: a\r\n\r\n',
  'a fragment after the query': 'GET /auth/hello?#x HTTP/1.1\r\nHost: a\r\n\r\n',
  'a space in the target': 'GET /auth/hel lo HTTP/1.1\r\nHost: a\r\n\r\n',
  'a target without a slash': 'GET auth/hello HTTP/1.1\r\nHost: a\r\n\r\n',
  'a raw byte above ASCII in the target': 'GET /auth/h\xe9llo HTTP/1.1\r\nHost: a\r\n\r\n',
  CONNECT: 'CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT with a path': 'CONNECT /auth/hello HTTP/1.1\r\nHost: a\r\n\r\n',
  'a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'
}

t.test(
  'what is not HTTP is answered with malformed_http, whole and with every header, and the connection ends',
  async (t) => {
    const port = await listen(await createShell(t, routes))
    for (const [name, text] of Object.entries(MALFORMED)) {
      const socket = connect(port, '127.0.0.1')
      socket.write(Buffer.from(text, 'latin1'))
      const answers = parse(await readToEnd(socket))
      t.equal(answers.length, 1, `${name}: one answer, then the end`)
      const [answer] = answers
      t.match(answer, {
        status: 400,
        headers: {
          ...SECURITY_HEADERS,
          'content-type': 'application/problem+json; charset=utf-8',
          connection: 'close',
          date: / GMT$/
        }
      })
      const problem = JSON.parse(answer?.body ?? '{}')
      t.match(problem, { type: `${ISSUER}/errors/malformed_http`, status: 400, code: 'malformed_http' }, name)
      t.equal(problem.request_id, answer?.headers['x-request-id'])
    }
  }
)

const UNUSUAL: Record<string, [string, number]> = {
  'the absolute form of the target': ['GET http://other.example/auth/hello HTTP/1.1\r\nHost: a\r\n\r\n', 200],
  'an absolute form that names nothing': ['GET http://other.example HTTP/1.1\r\nHost: a\r\n\r\n', 404],
  'an absolute form of another scheme': ['GET ftp://other.example/auth/hello HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  'OPTIONS *': ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 404],
  'an upgrade to websocket': [
    'GET /auth/hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    200
  ],
  'an upgrade to h2c': [
    'GET /auth/hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n',
    200
  ],
  'HTTP/1.0 without Host': ['GET /auth/hello HTTP/1.0\r\n\r\n', 200],
  'an unknown expectation': ['GET /auth/hello HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n', 200],
  'a body in chunks': [
    `${JSON_POST}Transfer-Encoding: Chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\nAuthorization: x\r\n\r\n`,
    200
  ],
  'many headers': [`GET /auth/hello HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(150)}\r\n`, 200],
  'a second Authorization behind them': [
    `GET /auth/hello HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\n${'a:\r\n'.repeat(150)}Authorization: y\r\n\r\n`,
    400
  ]
}

t.test('what is unusual but HTTP is answered by the routes', async (t) => {
  const port = await listen(await createShell(t, routes))
  for (const [name, [text, status]] of Object.entries(UNUSUAL)) {
    const [answer] = await raw(port, text)
    t.equal(answer?.status, status, name)
    t.equal(answer?.headers['x-content-type-options'], 'nosniff')
    if (status >= 400) t.equal(answer?.headers['content-type'], 'application/problem+json; charset=utf-8')
  }
})

t.test('Expect: 100-continue is told to go on, and not for a body that is too long', async (t) => {
  const port = await listen(await createShell(t, routes))
  const socket = connect(port, '127.0.0.1')
  socket.write(`${JSON_POST}Expect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\n`)
  const received = readToEnd(socket)
  await delay(50)
  socket.write('{}')
  const text = await received
  t.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)

  const long = connect(port, '127.0.0.1')
  long.write(`${JSON_POST}Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n`)
  t.match(await readToEnd(long), /^HTTP\/1\.1 413 /)
})

t.test('headers beyond 16 KiB are headers_too_large', async (t) => {
  const port = await listen(await createShell(t, routes))
  for (const text of [
    `GET /auth/hello HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`,
    `GET /auth/hello?${'a'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /auth/hello HTTP/1.1\r\nHost: a\r\n${'Cookie: a=b\r\n'.repeat(2000)}\r\n`,
    `GET /auth/hello HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`
  ]) {
    const socket = connect(port, '127.0.0.1')
    socket.write(text)
    const [answer, ...others] = parse(await readToEnd(socket))
    t.strictSame(others, [])
    t.match(answer, { status: 431, headers: { ...SECURITY_HEADERS, connection: 'close' } })
    t.equal(JSON.parse(answer?.body ?? '{}').code, 'headers_too_large')
  }
  const [answer] = await raw(port, `GET /auth/hello HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(15_000)}\r\n\r\n`)
  t.equal(answer?.status, 200)
})

t.test('more than 200 headers are headers_too_large, however short they are', async (t) => {
  const port = await listen(await createShell(t, routes))
  const request = (count: number) => `GET /auth/hello HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(count - 1)}\r\n`
  t.equal((await raw(port, request(200)))[0]?.status, 200)
  const [answer] = await raw(port, request(201))
  t.match(answer, { status: 431, headers: { connection: 'close' }, body: /"code":"headers_too_large"/ })
})

t.test('garbage behind a request is answered after that request, never instead of it', async (t) => {
  const port = await listen(await createShell(t, routes))
  const socket = connect(port, '127.0.0.1')
  socket.write('GET /auth/slow HTTP/1.1\r\nHost: a\r\n\r\nGET /auth/slow HTTP/1.1\r\nHost: a\r\n\r\ngarbage\r\n\r\n')
  const answers = parse(await readToEnd(socket))
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 200, 400]
  )
  t.equal(JSON.parse(answers[2]?.body ?? '{}').code, 'malformed_http')
})

t.test('garbage that comes after an answer is answered once', async (t) => {
  const port = await listen(await createShell(t, routes))
  const socket = connect(port, '127.0.0.1')
  const received = readToEnd(socket)
  socket.write('GET /auth/hello HTTP/1.1\r\nHost: a\r\n\r\n')
  await delay(50)
  for (let packet = 0; packet < 5; packet += 1) {
    socket.write('garbage\r\n\r\n')
    await delay(5)
  }
  t.strictSame(
    parse(await received).map(({ status }) => status),
    [200, 400]
  )
})

const BROKEN_BODY = 'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n'
const post = (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\n${BROKEN_BODY}`

t.test('a body that breaks off is refused by its own route, and listeners are told', async (t) => {
  const told: string[] = []
  const app = await createShell(t, (scope) => {
    scope.errors.onRefusal(async ({ code }, { url }) => void told.push(`${code} ${url}`))
    routes(scope)
  })
  const port = await listen(app)
  for (const [path, status, code] of [
    ['/auth/echo', 400, 'malformed_http'],
    ['/auth/patient', 400, 'malformed_http'],
    ['/auth/guarded', 401, 'missing_token'],
    ['/auth/nothing', 404, 'not_found']
  ] as const) {
    told.length = 0
    const socket = connect(port, '127.0.0.1')
    const received = readToEnd(socket)
    socket.write(post(path))
    await delay(10)
    socket.write('zz\r\n')
    const answers = parse(await received)
    t.strictSame(
      answers.map((answer) => [answer.status, JSON.parse(answer.body).code]),
      [[status, code]],
      path
    )
    t.strictSame(told, [`${code} ${path}`])
  }
})

t.test('a peer that leaves in the middle is no fault, and nothing is thrown', async (t) => {
  const log: string[] = []
  const app = await createShell(t, routes, { log })
  const port = await listen(app)
  for (const text of [
    'GET /auth/he',
    post('/auth/echo'),
    post('/auth/patient'),
    `${JSON_POST}Content-Length: 9\r\n\r\n{`,
    ''
  ]) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(text)
    await delay(20)
    socket.resetAndDestroy()
  }
  await delay(100)
  t.equal((await raw(port, 'GET /auth/hello HTTP/1.1\r\nHost: a\r\n\r\n'))[0]?.status, 200)
  t.strictSame(
    log.map((line) => JSON.parse(line).level as number).filter((level) => level > 30),
    []
  )
})
