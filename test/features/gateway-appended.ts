import { METHODS } from 'node:http'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { createApp, newUser } from '../fixtures/app.js'
import { STRANGER, withRules } from '../fixtures/gateway.js'
import { listen, parse, raw, readToEnd } from '../fixtures/shell.js'

interface Question {
  method?: string
  path: string
  token?: string
  lines?: string[]
  body?: string
}

function text({ method = 'GET', path, token, lines = [], body = '' }: Question): string {
  const authorization = token === undefined ? [] : [`Authorization: Bearer ${token}`]
  return [`${method} /auth/verify${path} HTTP/1.1`, 'Host: a', ...authorization, ...lines, '', body].join('\r\n')
}

async function create(t: Test, config: object = {}) {
  const app = await createApp(t, { config: { ...withRules, ...config } })
  const { token, user_id: id } = await newUser(app.http)
  return { ...app, token, mine: `/api/${id}/files`, port: await listen(app.app) }
}

t.test('any method that HTTP has is judged like a GET', async (t) => {
  const { port, token, mine } = await create(t)
  for (const method of METHODS.filter((one) => one !== 'CONNECT')) {
    const status = async (path: string, sent?: string) => {
      const [answer] = await raw(port, text({ method, path, ...(sent !== undefined && { token: sent }) }))
      return answer?.status
    }
    t.equal(await status(mine, token), 200, method)
    t.equal(await status(`/api/${STRANGER}`, token), 403, method)
    t.equal(await status('/api//x', token), 400, method)
    t.equal(await status(mine), 401, method)
  }
})

t.test('a CONNECT, and a method that nobody knows, are refused', async (t) => {
  const { port, token, mine } = await create(t)
  for (const method of ['CONNECT', 'FROBNICATE', 'get']) {
    const [answer] = await raw(port, text({ method, path: mine, token }))
    t.equal(answer?.status, 400, method)
  }
})

t.test('the type of a body that is never read decides nothing', async (t) => {
  const { port, token, mine } = await create(t)
  const types = ['application/json', 'text/plain', 'multipart/form-data', 'nonsense', '/', '', 'a/b;c', '\u00ff']
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']) {
    for (const type of types) {
      const lines = [`Content-Type: ${type}`, 'Content-Encoding: gzip', 'Content-Length: 5']
      const [answer] = await raw(port, text({ method, path: mine, token, lines, body: '{"a":' }))
      t.strictSame([answer?.status, answer?.body], [200, ''], `${method} ${type}`)
    }
    for (const lines of [['Content-Length: 5'], ['Transfer-Encoding: chunked'], ['Content-Type: a/b']]) {
      const body = lines[0]?.startsWith('T') ? '5\r\n{"a":\r\n0\r\n\r\n' : '{"a":'
      const [answer] = await raw(port, text({ method, path: mine, token, lines, body }))
      t.equal(answer?.status, 200, `${method} ${lines[0]}`)
    }
  }
})

t.test('an upload of any length is answered before it comes, and ends its connection', async (t) => {
  const { port, token, mine } = await create(t)
  for (const length of ['Content-Length: 1000000000', 'Transfer-Encoding: chunked']) {
    for (const expectation of [[], ['Expect: 100-continue']]) {
      const socket = connect(port, '127.0.0.1')
      const received = readToEnd(socket)
      socket.write(text({ method: 'PUT', path: mine, token, lines: [length, ...expectation] }))
      const answers = parse((await received).replace('HTTP/1.1 100 Continue\r\n\r\n', ''))
      t.match(answers, [{ status: 200, headers: { connection: 'close' }, body: '' }], length)
    }
  }
})

t.test('a short body that is never read costs the connection nothing, and is no request of its own', async (t) => {
  const { port, token, mine } = await create(t)
  const smuggled = text({ method: 'DELETE', path: '/public', token })
  const lines = [`Content-Length: ${smuggled.length}`]
  const first = text({ method: 'POST', path: mine, token, lines, body: smuggled })
  const answers = await raw(port, first + text({ path: `/api/${STRANGER}`, token }), 2)
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 403]
  )
})

t.test('a path that the router would not take is judged like any other: after the token', async (t) => {
  const { port, token } = await create(t)
  for (const path of ['/%', '/%zz', '/%ff/x', '/a%', '/%u0041', `/${'%2f'.repeat(3000)}`, '/..%c0%af']) {
    const code = async (sent?: string) => {
      const [answer] = await raw(
        port,
        Buffer.from(text({ path, ...(sent !== undefined && { token: sent }) }), 'latin1')
      )
      return JSON.parse(answer?.body ?? '{}').code
    }
    t.equal(await code(), 'missing_token', path)
    t.equal(await code(`${token}x`), 'invalid_token', path)
    t.equal(await code(token), 'invalid_request', path)
  }
})

t.test('a byte that is no ASCII is refused by the parser', async (t) => {
  const { port, token } = await create(t)
  const [answer] = await raw(port, Buffer.from(text({ path: '/\u00e9', token }), 'latin1'))
  t.match(answer, { status: 400, body: /"code":"malformed_http"/ })
})

t.test('another spelling of /auth/verify is no way around a rule', async (t) => {
  const { port, token } = await create(t)
  const ask = async (target: string) => {
    const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`
    return (await raw(port, request))[0]?.status
  }
  for (const prefix of [
    '/auth/%76erify',
    '/%61uth/verify',
    '/%61%75%74%68/verify',
    'http://a/auth/verify',
    '/auth/verify/..'
  ]) {
    for (const path of [`/api/${STRANGER}`, '/public', '/%zz']) {
      t.equal(await ask(`${prefix}${path}`), 400, prefix)
    }
  }
  for (const target of [
    '//auth/verify/public',
    '/auth//verify/public',
    '/AUTH/verify/public',
    '/auth/verify%2fpublic'
  ]) {
    t.equal(await ask(target), 404, target)
  }
})

t.test('a preflight is no exception: never 2xx without an identity', async (t) => {
  const { port, token, mine } = await create(t, { corsOrigins: ['https://app.example'] })
  const lines = ['Origin: https://app.example', 'Access-Control-Request-Method: GET']
  for (const [sent, expected] of [
    [undefined, 401],
    [`${token}x`, 401],
    [token, 200]
  ] as const) {
    const asked = { method: 'OPTIONS', path: mine, lines, ...(sent !== undefined && { token: sent }) }
    const [answer] = await raw(port, text(asked))
    t.equal(answer?.status, expected)
    t.equal(answer?.headers['x-user-id'] !== undefined, expected === 200)
    t.equal(answer?.headers['access-control-allow-origin'], undefined)
  }
  const [exact] = await raw(port, text({ method: 'OPTIONS', path: '', lines, token }))
  t.match(exact, { status: 405, headers: { allow: 'GET, HEAD' } })
})
