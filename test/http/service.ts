/** The HTTP shell around the real service, over real sockets. */
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { SECURITY_HEADERS } from '../../src/lib/security-headers.js'
import { createApp, password, uniqueEmail } from '../fixtures/app.js'
import { listen, parse, raw, readToEnd } from '../fixtures/shell.js'

const unlimited = { login: undefined, signup: undefined, refresh: undefined }
const ISSUER = 'http://localhost:3000/auth'

/** Every documented path with its methods; a parameter becomes a value that no rule likes. */
function documented(paths: Record<string, object>): [string, string[]][] {
  return Object.entries(paths).map(([path, operations]) => [
    path.replace(/\{\w+\}/g, 'x'),
    Object.keys(operations).map((method) => method.toUpperCase())
  ])
}

t.test('every path of the service refuses, in the one shape, what is no method of it', async (t) => {
  const { app } = await createApp(t, { config: { rateLimits: unlimited } })
  const port = await listen(app)
  const { paths } = (await app.inject('/auth/openapi.json')).json()
  t.ok(Object.keys(paths).length > 8)
  for (const [path, methods] of documented(paths)) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      if (methods.includes(method)) continue
      const [answer] = await raw(port, `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      t.match(answer, { status: 405, headers: { ...SECURITY_HEADERS, allow: /^[A-Z, ]+$/ } }, `${method} ${path}`)
      const allowed = answer?.headers.allow?.split(', ').filter((name) => name !== 'HEAD' || !methods.includes('GET'))
      t.strictSame(allowed?.sort(), methods.sort())
      t.equal(JSON.parse(answer?.body ?? '{}').type, `${ISSUER}/errors/method_not_allowed`)
    }
  }
})

t.test('no path of the service takes a parameter that it does not describe', async (t) => {
  const { app } = await createApp(t, { config: { rateLimits: unlimited } })
  const { paths } = (await app.inject('/auth/openapi.json')).json()
  for (const [path, methods] of documented(paths)) {
    for (const method of methods) {
      const answer = await app.inject({ method: method as 'GET', url: `${path}?no_such_parameter=1` })
      t.ok([400, 401, 415].includes(answer.statusCode), `${method} ${path}: ${answer.statusCode}`)
    }
  }
})

const head = (path: string, length: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${length}\r\n\r\n`

t.test(
  'a login whose body breaks off, is too long or is of another type is one event, like any bad login',
  async (t) => {
    const { app, sql } = await createApp(t, { config: { rateLimits: unlimited } })
    const port = await listen(app)
    const broken = connect(port, '127.0.0.1')
    const received = readToEnd(broken)
    broken.write(`${head('/auth/login', 'Transfer-Encoding: chunked')}1\r\n{\r\n`)
    await delay(20)
    broken.write('zz\r\n')
    t.match(parse(await received), [{ status: 400, body: /"code":"malformed_http"/ }])
    const [long] = await raw(port, head('/auth/login', 'Content-Length: 20000'))
    t.equal(long?.status, 413)
    const other = head('/auth/login', 'Content-Length: 2').replace('application/json', 'text/plain')
    t.equal((await raw(port, `${other}{}`))[0]?.status, 415)
    await app.close()
    const rows = await sql`select event_type, failure_reason, sum((details->>'count')::int)::int as answers
    from postern.auth_events where event_type = 'login' group by 1, 2`
    t.match([...rows], [{ event_type: 'login', failure_reason: 'invalid_request', answers: 3 }])
  }
)

t.test('what PostgreSQL could not store never reaches it', async (t) => {
  const { app } = await createApp(t, { config: { rateLimits: unlimited } })
  for (const url of ['/auth/login', '/auth/signup', '/auth/refresh', '/auth/logout']) {
    for (const text of ['\\u0000', '\\ud800', 'a\\u0000b@example.com']) {
      const payload = `{"email":"${text}","password":"${text}","refresh_token":"${text}"}`
      const answer = await app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } })
      t.strictSame([answer.statusCode, answer.json().code], [400, 'invalid_request'], `${url} ${text}`)
    }
  }
})

t.test('fields that are not for the client are unknown fields', async (t) => {
  const { http } = await createApp(t, { config: { rateLimits: unlimited } })
  for (const field of [
    'role',
    'is_active',
    'is_admin',
    'email_verified',
    'id',
    'user_id',
    'created_at',
    'password_hash'
  ]) {
    const body = { email: uniqueEmail(), password, [field]: true }
    const answer = await http('POST', '/auth/signup', { body })
    t.equal(answer.status, 400)
    t.match(answer.body, { code: 'invalid_request', errors: [{ field, code: 'unknown_field' }] })
  }
})

t.test('the page of each error is served by the service', async (t) => {
  const { http } = await createApp(t, { config: { rateLimits: unlimited } })
  const refused = await http('GET', '/auth/me')
  t.equal(refused.status, 401)
  const page = await http('GET', `/auth${refused.body.type.slice(ISSUER.length)}`)
  t.equal(page.status, 200)
  t.match(page.raw, 'missing_token')
})

t.test(
  'an attempt that is refused for two Authorization headers counts like any other: the sixth is 429',
  async (t) => {
    const { app } = await createApp(t)
    const port = await listen(app)
    const request =
      'POST /auth/login HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\nContent-Length: 0\r\n\r\n'
    const statuses: (number | undefined)[] = []
    for (let attempt = 0; attempt < 6; attempt += 1) statuses.push((await raw(port, request))[0]?.status)
    t.strictSame(statuses, [400, 400, 400, 400, 400, 429])
  }
)
