import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Access } from '../../src/plugins/access/index.js'
import { ADA, BOB, createGuarded } from '../fixtures/guarded.js'

const Answer = Type.Object({ user: Type.Optional(Type.String()), client: Type.Optional(Type.String()) })
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

function route(app: FastifyInstance, access: Access, url = `/${access}`): void {
  app.get(url, { config: { access }, schema: { response: { 200: Answer } } }, async ({ identity, clientId }) => ({
    ...(identity && { user: `${identity.userId} ${identity.role}` }),
    ...(clientId && { client: clientId })
  }))
}

function routes(app: FastifyInstance): void {
  for (const access of ['public', 'bearer', 'admin', 'optional-bearer'] as const) route(app, access)
  route(app, 'owner', '/users/:user_id')
  route(app, 'bearer', '/auth/me')
}

t.test('a public route asks for nothing and knows nobody', async (t) => {
  const { request } = await createGuarded(t, routes)
  t.strictSame(JSON.parse((await request('GET', '/public', bearer('ada.token'))).body), {})
})

t.test('a request without a bearer is 401 missing_token and no event', async (t) => {
  const { app, request, audited } = await createGuarded(t, routes)
  const headers = [{}, { authorization: '' }, { authorization: 'Basic YTpi' }, { authorization: 'ada.token' }]
  headers.push({ authorization: 'Bearers ada.token' }, { authorization: 'DPoP ada.token' })
  for (const url of ['/bearer', `/users/${ADA.userId}`, '/admin']) {
    for (const header of headers) {
      const answer = await request('GET', url, { headers: header })
      t.equal(answer.status, 401)
      t.equal(answer.code, 'missing_token')
      t.equal(answer.headers['www-authenticate'], 'Bearer realm="postern"')
    }
  }
  t.strictSame(audited, [])
  t.equal(app.access.missingTokens(), 18)
})

t.test('the scheme is taken in any case, with exactly one space', async (t) => {
  const { request } = await createGuarded(t, routes)
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    const answer = await request('GET', '/bearer', { headers: { authorization: `${scheme} ada.token` } })
    t.strictSame(JSON.parse(answer.body), { user: `${ADA.userId} user` }, scheme)
  }
})

t.test('a bearer that cannot be a token is 401 invalid_token and an event', async (t) => {
  const { request, audited } = await createGuarded(t, routes)
  const malformed = [
    'Bearer',
    'Bearer  ada.token',
    'Bearer\tada.token',
    'Bearer ada.token x',
    'Bearer ada.token, x',
    'bearer,x'
  ]
  malformed.push(
    'Bearer ada token',
    'Bearer =',
    'Bearer a=b',
    'Bearer "ada.token"',
    'Bearer é',
    `Bearer ${'a'.repeat(8193)}`
  )
  for (const authorization of malformed) {
    audited.length = 0
    const answer = await request('GET', '/bearer', { headers: { authorization } })
    t.equal(answer.status, 401, authorization)
    t.equal(answer.code, 'invalid_token')
    t.match(answer.headers['www-authenticate'], 'error="invalid_token"')
    t.match(audited, [{ event: { type: 'token_rejected', success: false, reason: 'token_malformed' } }])
  }
})

t.test('a token is taken from the Authorization header and from nowhere else', async (t) => {
  const { request } = await createGuarded(t, routes)
  const headers = { cookie: 'access_token=ada.token; token=ada.token', 'x-access-token': 'ada.token' }
  t.equal((await request('GET', '/bearer', { headers })).code, 'missing_token')
  t.equal((await request('GET', '/bearer?access_token=ada.token', { headers })).code, 'missing_token')
})

t.test('a refused token and an ended session are 401 with their events', async (t) => {
  const { request, audited } = await createGuarded(t, routes)
  t.equal((await request('GET', '/bearer', bearer('forged.token'))).code, 'invalid_token')
  t.equal((await request('GET', '/bearer', bearer('over.token'))).code, 'session_ended')
  t.match(audited, [{ event: { reason: 'bad_signature' } }, { event: { reason: 'session_ended' } }])
})

t.test('a failing session check is a refusal', async (t) => {
  const { request, app } = await createGuarded(t, routes, { noSessionCheck: true }).catch(() => ({}) as never)
  t.equal(app, undefined, 'without a check the boot fails')
  t.equal(request, undefined)
  const { request: ask } = await createGuarded(
    t,
    (scope) => {
      scope.access.useSessionCheck(async () => {
        throw new Error('the check broke')
      })
      routes(scope)
    },
    { noSessionCheck: true }
  )
  const answer = await ask('GET', '/bearer', bearer('ada.token'))
  t.equal(answer.code, 'internal_error')
  t.notMatch(answer.body, 'broke')
})

t.test('the owner of a path gets in, by any case of the id', async (t) => {
  const { request, audited } = await createGuarded(t, routes)
  for (const id of [ADA.userId, ADA.userId.toUpperCase(), ADA.userId.replace('a', '%61')]) {
    t.equal((await request('GET', `/users/${id}`, bearer('ada.token'))).status, 200, id)
  }
  t.strictSame(audited, [])
})

t.test("another user's path is 403 and an event of whoever tried", async (t) => {
  const { request, audited } = await createGuarded(t, routes)
  const { status, code } = await request('GET', `/users/${BOB.userId.toUpperCase()}`, bearer('ada.token'))
  t.equal(status, 403)
  t.equal(code, 'not_your_resource')
  t.match(audited, [
    {
      event: {
        type: 'ownership_denied',
        success: false,
        reason: 'not_owner',
        userId: ADA.userId,
        details: { requested_user_id: BOB.userId }
      }
    }
  ])
})

t.test('an admin is no owner of what is not theirs', async (t) => {
  const { request } = await createGuarded(t, routes)
  t.equal((await request('GET', `/users/${ADA.userId}`, bearer('bob.token'))).code, 'not_your_resource')
})

t.test('the token is judged first, then the form of the id, then the owner', async (t) => {
  const { request } = await createGuarded(t, routes)
  t.equal((await request('GET', `/users/${BOB.userId}`, bearer('forged.token'))).code, 'invalid_token')
  t.equal((await request('GET', '/users/none', bearer('forged.token'))).code, 'invalid_token')
  t.equal((await request('GET', '/users/none', bearer('over.token'))).code, 'session_ended')
  t.equal((await request('GET', '/users/none')).code, 'missing_token')
  for (const id of [
    'none',
    `${ADA.userId}0`,
    `%7B${ADA.userId}%7D`,
    ADA.userId.replaceAll('-', ''),
    `${ADA.userId}%0A`
  ]) {
    const { status, code, body } = await request('GET', `/users/${id}`, bearer('ada.token'))
    t.equal(status, 400, id)
    t.equal(code, 'invalid_request')
    t.match(JSON.parse(body).errors, [{ field: 'user_id', code: 'invalid_format' }])
  }
})

t.test('an admin route takes an admin, and tells of everybody else', async (t) => {
  const { request, audited } = await createGuarded(t, routes)
  t.strictSame(JSON.parse((await request('GET', '/admin', bearer('bob.token'))).body), { user: `${BOB.userId} admin` })
  const { status, code } = await request('GET', '/admin', bearer('ada.token'))
  t.equal(status, 403)
  t.equal(code, 'admin_required')
  t.match(audited, [{ event: { type: 'admin_denied', success: false, reason: 'not_admin', userId: ADA.userId } }])
})

t.test('where a bearer is optional, one that is sent must be good, and its session is not asked', async (t) => {
  const { request } = await createGuarded(t, routes)
  t.strictSame(JSON.parse((await request('GET', '/optional-bearer')).body), {})
  t.match(JSON.parse((await request('GET', '/optional-bearer', bearer('over.token'))).body), { user: ADA.userId })
  t.equal((await request('GET', '/optional-bearer', bearer('forged.token'))).code, 'invalid_token')
  const basic = { headers: { authorization: 'Basic YTpi' } }
  t.strictSame(JSON.parse((await request('GET', '/optional-bearer', basic)).body), {}, 'another scheme is no bearer')
})

t.test('nobody is an admin where no session was asked', async (t) => {
  const { request } = await createGuarded(t, routes)
  const { body } = await request('GET', '/optional-bearer', bearer('bob.token'))
  t.strictSame(JSON.parse(body), { user: `${BOB.userId} user` })
})

t.test('a client route is for who passes the client check, and a bearer is of no use there', async (t) => {
  const seen: unknown[] = []
  const { request } = await createGuarded(t, (app) => {
    app.access.useClientCheck((authorization) => {
      seen.push(authorization)
      return 'billing'
    })
    route(app, 'client')
  })
  const { body } = await request('GET', '/client', { headers: { authorization: 'Basic YTpi' } })
  t.strictSame(JSON.parse(body), { client: 'billing' })
  await request('GET', '/client')
  t.strictSame(seen, ['Basic YTpi', undefined])
})

t.test('the guard comes before every hook and handler of a feature', async (t) => {
  const { request } = await createGuarded(t, (app) => {
    app.addHook('onRequest', async (_request, reply) => reply.code(200).send({ user: 'leak' }))
    const config = { access: 'bearer' as const }
    const onRequest = async (_request: unknown, reply: { send(body: object): unknown }) => reply.send({ user: 'leak' })
    app.get(
      '/hooked',
      { config, onRequest: onRequest as never, schema: { response: { 200: Answer } } },
      async () => ({})
    )
  })
  t.equal((await request('GET', '/hooked')).code, 'missing_token')
})

t.test('HEAD, 404, 405 and preflights go on working', async (t) => {
  const { request } = await createGuarded(t, routes, { corsOrigins: ['https://app.example'] })
  t.equal((await request('HEAD', '/public')).status, 200)
  t.equal((await request('HEAD', '/bearer')).status, 401)
  t.equal((await request('HEAD', '/bearer', bearer('ada.token'))).status, 200)
  t.equal((await request('GET', '/nothing')).code, 'not_found')
  t.equal((await request('POST', '/bearer')).code, 'method_not_allowed')
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
  t.equal((await request('OPTIONS', '/auth/me', { headers })).status, 204)
})
