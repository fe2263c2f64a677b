import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createShell, listen, parse, raw, readToEnd } from '../fixtures/shell.js'

function routes(scope: FastifyInstance): void {
  scope.post('/auth/echo', { schema: { body: { type: 'object' } } }, async (request) => ({ body: request.body }))
  scope.delete('/auth/session', async () => ({}))
  scope.post('/auth/bare', async () => ({}))
  scope.get('/auth/hello', async () => ({}))
}

const post = (payload: string | Buffer, type: string | undefined = 'application/json', url = '/auth/echo') => ({
  method: 'POST' as const,
  url,
  payload,
  headers: type === undefined ? {} : { 'content-type': type }
})

t.test('application/json is taken, with charset=utf-8 in any case', async (t) => {
  const app = await createShell(t, routes)
  for (const type of [
    'application/json',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json ; Charset="utf-8"',
    'application/json\t;\tcharset=utf-8'
  ]) {
    const answer = await app.inject(post('{"a":1}', type))
    t.strictSame([answer.statusCode, answer.json()], [200, { body: { a: 1 } }], type)
  }
})

t.test('every other media type is 415, however it is spelled', async (t) => {
  const app = await createShell(t, routes)
  for (const type of [
    'application/json\t;x',
    'application/json;x',
    'application/json;',
    'application/json; charset=utf8',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; charset=utf-8; x=y',
    'application/json, application/json',
    'application/jsonx',
    'application/problem+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'text/json',
    'application',
    '/json',
    'x'
  ]) {
    const answer = await app.inject(post('{"a":1}', type))
    t.strictSame([answer.statusCode, answer.json().code], [415, 'unsupported_media_type'], type)
  }
})

t.test('a body without a media type is 415, and so is an encoded one', async (t) => {
  const port = await listen(await createShell(t, routes))
  for (const headers of [
    'Content-Length: 2',
    'Content-Type:\r\nContent-Length: 2',
    'Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2'
  ]) {
    const [answer] = await raw(port, `POST /auth/echo HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n{}`)
    t.equal(answer?.status, 415, headers)
  }
})

t.test('a body that is not strict JSON is invalid_request', async (t) => {
  const app = await createShell(t, routes)
  const payloads: (string | Buffer)[] = [
    '{',
    '\ufeff{}',
    Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]),
    '{"a":1,"\\u0061":2}',
    '{"__proto__":{}}',
    `{"a":${'['.repeat(40)}${']'.repeat(40)}}`,
    '{"a":1e999}',
    'null',
    '[]',
    '"text"',
    ' '
  ]
  for (const payload of payloads) {
    const answer = await app.inject(post(payload))
    t.strictSame([answer.statusCode, answer.json().code], [400, 'invalid_request'], payload.toString())
    t.not(answer.json().detail, undefined)
  }
  for (const payload of ['{"user":{"email":"a\\u0000"}}', '{"user":{"email":"\\ud800"}}']) {
    t.match((await app.inject(post(payload))).json().errors, [{ field: 'user.email', code: 'forbidden_character' }])
  }
})

t.test('an empty body that says it is JSON is invalid_request', async (t) => {
  const app = await createShell(t, routes)
  for (const url of ['/auth/echo', '/auth/bare']) {
    const answer = await app.inject({ ...post('', 'application/json', url) })
    t.strictSame([answer.statusCode, answer.json().code], [400, 'invalid_request'], url)
  }
})

t.test('fields for a route that takes no body are unknown fields', async (t) => {
  const app = await createShell(t, routes)
  const bare = await app.inject(post('{"role":"admin"}', 'application/json', '/auth/bare'))
  t.match(bare.json(), { status: 400, errors: [{ field: 'role', code: 'unknown_field' }] })
  t.equal((await app.inject(post('{}', 'application/json', '/auth/bare'))).statusCode, 200)
  const removal = await app.inject({ ...post('{"all":true}', 'application/json', '/auth/session'), method: 'DELETE' })
  t.equal(removal.statusCode, 400)
  t.equal((await app.inject({ method: 'DELETE', url: '/auth/session' })).statusCode, 200)
})

const head = (length: string) =>
  `POST /auth/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${length}\r\n\r\n`
const padded = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`

t.test('16 KiB are taken, and one byte more is 413', async (t) => {
  const port = await listen(await createShell(t, routes))
  const chunked = (text: string) =>
    `${head('Transfer-Encoding: chunked')}${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`
  const counted = (text: string) => head(`Content-Length: ${text.length}`) + text
  for (const frame of [chunked, counted]) {
    t.equal((await raw(port, frame(padded(16_384))))[0]?.status, 200)
    const [answer] = await raw(port, frame(padded(16_385)))
    t.match(answer, { status: 413, headers: { connection: 'close' }, body: /"code":"payload_too_large"/ })
  }
})

t.test('a long Content-Length is refused before a byte of the body was sent', async (t) => {
  const port = await listen(await createShell(t, routes))
  const [answer] = await raw(port, head('Content-Length: 1000000'))
  t.equal(answer?.status, 413)
})

t.test('whoever sends a megabyte still gets to read why it was refused', async (t) => {
  const port = await listen(await createShell(t, routes))
  const megabyte = 'x'.repeat(1_000_000)
  for (const path of ['/auth/echo', '/auth/nothing']) {
    for (const length of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
      const socket = connect(port, '127.0.0.1')
      const received = readToEnd(socket)
      socket.write(head(length).replace('/auth/echo', path))
      socket.write(length.startsWith('T') ? `f4240\r\n${megabyte}\r\n0\r\n\r\n` : megabyte)
      const answers = parse(await received)
      t.match(
        answers,
        [{ status: path === '/auth/echo' ? 413 : 404, headers: { connection: 'close' } }],
        `${path} ${length}`
      )
      t.equal(answers.length, 1)
    }
  }
})

t.test('a short unread body costs the connection nothing', async (t) => {
  const port = await listen(await createShell(t, routes))
  const lost = `POST /auth/nothing HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`
  const answers = await raw(port, `${lost}GET /auth/hello HTTP/1.1\r\nHost: a\r\n\r\n`, 2)
  t.strictSame(
    answers.map(({ status }) => status),
    [404, 200]
  )
})
