import t from 'tap'
import { identityHeaders } from '../../src/features/gateway/schemas.js'
import { createApp, newUser } from '../fixtures/app.js'
import { asker, CONTRACTS, STRANGER, withRules } from '../fixtures/gateway.js'
import { startSession, unlimited } from '../fixtures/sessions.js'
import { listen, raw } from '../fixtures/shell.js'

t.test(
  '200 is empty and names user, session and request, so that a gateway overwrites what a client sent',
  async (t) => {
    const app = await createApp(t, { config: withRules })
    const user = await newUser(app.http)
    const claims = await app.app.accessTokens.check(user.token)
    const spoofed = { 'X-User-Id': STRANGER, 'X-User-Email': 'eve@example.com', 'X-Session-Id': STRANGER }
    for (const contract of Object.keys(CONTRACTS)) {
      for (const method of ['GET', 'HEAD']) {
        const asked = CONTRACTS[contract]?.(`/api/${user.user_id}`) as { url: string; headers: Record<string, string> }
        const headers = { ...asked.headers, ...spoofed, 'X-Request-Id': 'a-request-of-theirs' }
        const answer = await app.http(method, asked.url, { token: user.token, headers })
        t.equal(answer.status, 200)
        t.equal(answer.raw, '')
        t.match(answer.headers, {
          'x-user-id': user.user_id,
          'x-user-email': user.email,
          'x-session-id': claims.sessionId,
          'x-auth-request-id': 'a-request-of-theirs',
          'x-request-id': 'a-request-of-theirs',
          'cache-control': 'no-store'
        })
        t.equal(answer.headers['content-type'], undefined)
      }
    }
  }
)

t.test('an identity that would make a header of its own is a failure, never a header', async (t) => {
  const identity = { userId: STRANGER, email: 'a@example.com', sessionId: STRANGER }
  t.equal(identityHeaders({ id: 'request-1', identity })['x-user-email'], 'a@example.com')
  for (const email of ['', 'a@example.com\r\nX-User-Id: x', 'a\nb', 'a b@example.com', 'ä@example.com', 'a\0']) {
    t.throws(() => identityHeaders({ id: 'request-1', identity: { ...identity, email } }), JSON.stringify(email))
  }
})

t.test('401 and 403 are problem+json with their challenge, never a redirect', async (t) => {
  const app = await createApp(t, { config: withRules })
  const { http } = app
  const ask = await asker(app)
  const { token } = await newUser(http)
  for (const contract of Object.keys(CONTRACTS)) {
    const missing = await ask(contract, '/api')
    t.match(missing, { status: 401, headers: { 'www-authenticate': 'Bearer realm="postern"' } })
    const invalid = await ask(contract, '/api', 'nonsense')
    t.match(invalid, { status: 401, headers: { 'www-authenticate': /^Bearer realm="postern", error="invalid_token"/ } })
    const foreign = await ask(contract, `/api/${STRANGER}`, token)
    t.match(foreign, { status: 403, body: { code: 'not_your_resource' } })
    for (const { headers } of [missing, invalid, foreign]) {
      t.match(headers, { 'content-type': /^application\/problem\+json/, 'cache-control': 'no-store' })
      t.equal(headers.location, undefined)
      t.equal(headers['x-user-id'], undefined, 'no refusal names a user')
    }
  }
})

t.test('to nginx a refusal comes in a header as well, because it reads nothing else', async (t) => {
  const { http } = await createApp(t, { config: withRules })
  const { token } = await newUser(http)
  const asked: [path: string, token: string | undefined, query: string, status: number][] = [
    ['/api', undefined, '', 401],
    [`/api/${STRANGER}`, token, '', 403],
    ['//', token, '', 400],
    ['/api', token, '?%C3%A9%E2%82%AC%0A=1', 400]
  ]
  for (const [path, sent, query, status] of asked) {
    const headers = { 'X-Original-URI': path }
    const answer = await http('GET', `/auth/verify${query}`, { headers, ...(sent !== undefined && { token: sent }) })
    t.equal(answer.status, status)
    const header = answer.headers['x-auth-problem'] ?? ''
    t.match(header, /^[\x20-\x7e]+$/)
    t.strictSame(JSON.parse(header), answer.body)
  }
  const good = await http('GET', '/auth/verify', { token, headers: { 'X-Original-URI': '/public' } })
  t.strictSame([good.status, good.headers['x-auth-problem']], [200, undefined])
  const other = await http('GET', '/auth/verify', { headers: { 'X-Forwarded-Uri': '/public' } })
  t.strictSame([other.status, other.headers['x-auth-problem']], [401, undefined])
})

t.test('a rule and no path is 400; no rule and no path is authenticated only', async (t) => {
  const ruled = await createApp(t, { config: withRules })
  const user = await newUser(ruled.http)
  t.strictSame((await ruled.http('GET', '/auth/verify', { token: user.token })).body?.code, 'invalid_request')
  t.equal((await ruled.http('GET', '/auth/verify')).status, 401)
  const bare = await createApp(t, { config: unlimited })
  const other = await newUser(bare.http)
  const answer = await bare.http('GET', '/auth/verify', { token: other.token })
  t.match(answer, { status: 200, headers: { 'x-user-id': other.user_id } })
  const query = '/auth/verify?owner_path=/api/:user_id'
  t.equal((await bare.http('GET', query, { token: other.token })).status, 400)
})

t.test('a path that comes twice, or from two sources that differ, is 400', async (t) => {
  const app = await createApp(t, { config: withRules })
  const { token, user_id: id } = await newUser(app.http)
  const port = await listen(app.app)
  const status = async (target: string, ...lines: string[]) => {
    const head = [`GET ${target} HTTP/1.1`, 'Host: a', `Authorization: Bearer ${token}`, ...lines]
    const [answer] = await raw(port, `${head.join('\r\n')}\r\n\r\n`)
    return answer?.status
  }
  const mine = `/api/${id}`
  for (const name of ['X-Original-URI', 'X-Forwarded-Uri', 'x-forwarded-URI']) {
    t.equal(await status('/auth/verify', `${name}: ${mine}`), 200)
    t.equal(await status('/auth/verify', `${name}: ${mine}`, `${name}: ${mine}`), 400, `${name} twice, the same`)
    t.equal(await status('/auth/verify', `${name}: ${mine}`, `${name}: /public`), 400, `${name} twice`)
    t.equal(await status('/auth/verify', `${name}: ${mine}, ${mine}`), 400, `${name} joined`)
    t.equal(await status('/auth/verify', `${name}: ${mine}`, `${name.toUpperCase()}: /public`), 400)
    t.equal(await status('/auth/verify', `${name}:`), 400, `${name} without a path`)
    t.equal(await status(`/auth/verify${mine}`, `${name}: ${mine}`), 200, 'appended as well')
    t.equal(await status(`/auth/verify${mine}?a=1`, `${name}: ${mine}?a=2`), 200, 'the query is not part of the path')
    t.equal(await status(`/auth/verify${mine}`, `${name}: /public`), 400, 'appended, and another one')
    t.equal(await status('/auth/verify/public', `${name}: /API`), 400)
    t.equal(await status('/auth/verify/public', `${name}:`), 400)
  }
  t.equal(await status('/auth/verify', `X-Original-URI: ${mine}`, `X-Forwarded-Uri: ${mine}`), 200)
  t.equal(await status('/auth/verify', `X-Original-URI: ${mine}`, 'X-Forwarded-Uri: /public'), 400)
  t.equal(await status('/auth/verify', `X-Original-URI: ${mine}`, 'X-Forwarded-Uri:'), 400)
  t.equal(await status('/auth/verify', `X-Original-URI: ${mine}`, `X-Forwarded-Uri: /%61pi/${id}`), 400)
  const twoTokens = [`X-Original-URI: ${mine}`, `Authorization: Bearer ${token}`]
  t.equal(await status('/auth/verify', ...twoTokens), 400, 'two Authorization headers')
})

t.test('headers that name a method are ignored', async (t) => {
  const { http } = await createApp(t, { config: withRules })
  const { token, user_id: id } = await newUser(http)
  for (const method of ['DELETE', 'nonsense', '']) {
    const headers = {
      'X-Original-URI': `/api/${id}`,
      'X-Original-Method': method,
      'X-Forwarded-Method': method,
      'X-HTTP-Method-Override': method
    }
    t.equal((await http('GET', '/auth/verify', { token, headers })).status, 200)
  }
})

t.test('exactly /auth/verify has GET and HEAD, and answers 405 to the rest', async (t) => {
  const { http } = await createApp(t, { config: { ...withRules, corsOrigins: ['https://app.example'] } })
  const { token, user_id: id } = await newUser(http)
  const preflight = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' }
  const headers = { 'X-Original-URI': `/api/${id}`, ...preflight }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']) {
    const answer = await http(method, '/auth/verify', { token, headers })
    t.match(answer, { status: 405, body: { code: 'method_not_allowed' }, headers: { allow: 'GET, HEAD' } }, method)
  }
  t.equal((await http('GET', '/auth/verify', { token, headers })).status, 200)
  for (const path of ['/auth/verify?x=1', '/auth/verify?access_token=x', '/auth/Verify', '/auth/verified']) {
    t.not((await http('GET', path, { token, headers })).status, 200, path)
  }
})

t.test('owner_path in the query replaces the rules of the settings', async (t) => {
  const { http } = await createApp(t, { config: withRules })
  const { token, user_id: id } = await newUser(http)
  const status = async (query: string, path: string) =>
    (await http('GET', `/auth/verify?${query}`, { token, headers: { 'X-Original-URI': path } })).status
  const shop = 'owner_path=/shop/:user_id/*'
  t.equal(await status(shop, `/shop/${id}/cart`), 200)
  t.equal(await status(shop, `/shop/${STRANGER}/cart`), 403)
  t.equal(await status(shop, `/api/${STRANGER}`), 200, 'the rules of the settings do not count')
  t.equal(await status('owner_path=%2Fshop%2F%3Auser_id%2F%2A', `/shop/${STRANGER}`), 403)
  const both = `${shop}&owner_path=/club/:user_id`
  t.equal(await status(both, `/shop/${STRANGER}/cart`), 403)
  t.equal(await status(both, `/club/${STRANGER}`), 403)
  t.equal(await status(both, `/club/${id}`), 200)
  const nested = 'owner_path=/:user_id/*&owner_path=/shop/:user_id'
  t.equal(await status(nested, `/shop/${id}`), 403, 'whoever any rule names has to be the asker')
})

t.test('an owner_path that is empty, broken or not alone is 400, after the token', async (t) => {
  const { http } = await createApp(t, { config: withRules })
  const { token, user_id: id } = await newUser(http)
  const headers = { 'X-Original-URI': `/api/${id}` }
  const good = 'owner_path=/api/:user_id/*'
  for (const query of [
    'owner_path',
    'owner_path=',
    'owner_path=/',
    'owner_path=api/:user_id',
    'owner_path=/api/*',
    'owner_path=/api/:user_id/:user_id',
    'owner_path=/api/:user_id,/users/:user_id',
    'owner_path=/api/%3Auser_id/%2A%2A',
    'owner_path=/api/:user_id/%zz',
    `${good}&owner_path=`,
    `${good}&owner_path`,
    `owner_path=&${good}`,
    `${good}&x=1`,
    `owner_path[]=/api/:user_id/*`,
    `OWNER_PATH=/api/:user_id/*`
  ]) {
    const answer = await http('GET', `/auth/verify?${query}`, { token, headers })
    t.strictSame([answer.status, answer.body?.code], [400, 'invalid_request'], query)
    t.equal((await http('GET', `/auth/verify?${query}`, { headers })).status, 401, query)
  }
})

t.test("behind an appended path the query is the client's, and never a rule", async (t) => {
  const { http } = await createApp(t, { config: withRules })
  const { token, user_id: id } = await newUser(http)
  for (const query of ['owner_path=/public/:user_id', 'owner_path=', 'a=1&a=2', '%zz', '%00', 'access_token=x']) {
    t.equal((await http('GET', `/auth/verify/api/${id}?${query}`, { token })).status, 200, query)
    t.equal((await http('GET', `/auth/verify/api/${STRANGER}?${query}`, { token })).status, 403, query)
  }
})

t.test('a rule that does not compile stops the boot', async (t) => {
  for (const rule of ['/api/*', 'api/:user_id', '']) {
    await t.rejects(
      createApp(t, { config: { ...unlimited, ownerPaths: ['/a/:user_id', rule] } }),
      /rule 2 of OWNER_PATHS/
    )
  }
})

t.test('a question costs one read of the session, shared by those that come together, and nothing else', async (t) => {
  const app = await createApp(t, { config: withRules })
  const user = await newUser(app.http)
  const paths = [`/api/${user.user_id}`, '/public', '/auth/verify']
  const question = (path: string) =>
    app.http('GET', '/auth/verify', { token: user.token, headers: { 'X-Original-URI': path } })
  await question('/public')
  const before = app.app.sessions.checkStats()
  const answers = await Promise.all(Array.from({ length: 60 }, (_one, index) => question(paths[index % 3] as string)))
  const after = app.app.sessions.checkStats()
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(after.checks - before.checks, 60)
  t.ok(after.queries - before.queries <= 10, `${after.queries - before.queries} queries`)
  await app.sql.begin(async (tx) => {
    const tables = await tx`select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname = 'postern' and tablename not in ('sessions', 'users')`
    t.ok(tables.length > 2)
    for (const { name } of tables) await tx.unsafe(`lock table ${name} in access exclusive mode`)
    t.equal((await question('/public')).status, 200, 'no other table is asked')
  })
})

t.test('an ended session, a switched-off user and a dead database are never 200', async (t) => {
  const app = await createApp(t, { config: withRules })
  const user = await newUser(app.http)
  const other = await newUser(app.http)
  const session = await startSession(app, user)
  const ask = await asker(app)
  t.equal((await ask('X-Original-URI', '/public', session.token)).status, 200)
  await app.http('POST', '/auth/logout', { token: session.token })
  t.match(await ask('X-Original-URI', '/public', session.token), {
    status: 401,
    body: { code: 'session_ended' }
  })
  await app.sql`update postern.users set is_active = false where id = ${other.user_id}`
  t.equal((await ask('the appended path', '/public', other.token)).status, 401)
  await app.sql`alter table postern.sessions rename to gone`
  const answer = await ask('the appended path', '/public', user.token)
  t.ok(answer.status >= 500, `${answer.status}`)
  t.equal(answer.headers['x-user-id'], undefined)
})
