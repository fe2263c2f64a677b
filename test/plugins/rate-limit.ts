import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { LimitName } from '../../src/plugins/rate-limit/index.js'
import { createGuarded } from '../fixtures/guarded.js'

const rateLimits = {
  login: { max: 5, windowSeconds: 60 },
  signup: { max: 5, windowSeconds: 60 },
  refresh: { max: 60, windowSeconds: 60 }
}
const Body = Type.Object({ email: Type.String() }, { additionalProperties: false })
const json = { 'content-type': 'application/json' }
const good = { headers: json, payload: '{"email":"a"}' }

function limited(app: FastifyInstance, limit: string, access: 'public' | 'bearer' = 'public'): void {
  const config = { access, limit: limit as LimitName }
  app.post(`/${limit}`, { config, schema: { body: Body, response: { 204: Type.Null() } } }, async (_request, reply) =>
    reply.code(204).send(null)
  )
}

function routes(app: FastifyInstance): void {
  for (const limit of ['login', 'signup', 'refresh']) limited(app, limit)
  const config = { access: 'public' as const }
  app.get('/free', { config, schema: { response: { 204: Type.Null() } } }, async (_request, reply) =>
    reply.code(204).send(null)
  )
}

t.test('five attempts pass, the sixth is refused with Retry-After and an event', async (t) => {
  const { request, audited } = await createGuarded(t, routes, { rateLimits })
  for (let attempt = 1; attempt <= 5; attempt += 1) t.equal((await request('POST', '/login', good)).status, 204)
  t.equal(audited.length, 0)
  const { status, code, headers } = await request('POST', '/login', good)
  t.equal(status, 429)
  t.equal(code, 'rate_limited')
  t.equal(headers['retry-after'], '60')
  t.match(audited, [
    {
      client: { addressKey: '203.0.113.9' },
      event: { type: 'rate_limited', success: false, reason: 'rate_limited', details: { limit: 'login' } }
    }
  ])
})

t.test('exactly 5 of 50 parallel attempts pass', async (t) => {
  const { request } = await createGuarded(t, routes, { rateLimits })
  const answers = await Promise.all(Array.from({ length: 50 }, () => request('POST', '/login', good)))
  t.equal(answers.filter(({ status }) => status === 204).length, 5)
  t.equal(answers.filter(({ status }) => status === 429).length, 45)
})

t.test('every policy and every address has its own count', async (t) => {
  const { request } = await createGuarded(t, routes, { rateLimits })
  for (let attempt = 1; attempt <= 6; attempt += 1) await request('POST', '/login', good)
  t.equal((await request('POST', '/signup', good)).status, 204)
  t.equal((await request('POST', '/refresh', good)).status, 204)
  t.equal((await request('POST', '/login', { ...good, from: '203.0.113.10' })).status, 204)
  t.equal((await request('POST', '/login', good)).status, 429)
})

t.test('all spellings and all addresses of one /64 share one count', async (t) => {
  const { request } = await createGuarded(t, routes, { rateLimits, trustProxy: ['loopback'] })
  const attempt = (entry: string) =>
    request('POST', '/login', { ...good, from: '127.0.0.1', headers: { ...json, 'x-forwarded-for': entry } })
  for (const entry of ['2001:db8::1', '2001:DB8::2', '[2001:db8::3]:80', '2001:db8:0:0:9::', '2001:db8::1%eth0']) {
    t.equal((await attempt(entry)).status, 204, entry)
  }
  t.equal((await attempt('2001:db8::ffff')).status, 429)
  t.equal((await attempt('2001:db8:0:1::1')).status, 204)
  for (const entry of ['198.51.100.1', '::ffff:198.51.100.1', '::FFFF:c633:6401', '198.51.100.1:1', '198.51.100.1:2']) {
    t.equal((await attempt(entry)).status, 204, entry)
  }
  t.equal((await attempt('198.51.100.1')).status, 429)
})

t.test('inventing X-Forwarded-For, or breaking it, gains no attempt', async (t) => {
  for (const trustProxy of [[], ['loopback']]) {
    const { request } = await createGuarded(t, routes, { rateLimits, trustProxy })
    const nearest = trustProxy.length === 0 ? '' : ', 203.0.113.9'
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      const headers = {
        ...json,
        'x-forwarded-for': `1.1.1.${attempt}, broken${nearest}`,
        'x-real-ip': `1.1.1.${attempt}`
      }
      const { status } = await request('POST', '/login', { ...good, from: '127.0.0.1', headers })
      t.equal(status, attempt <= 5 ? 204 : 429)
    }
  }
})

t.test('attempts that are refused as 400, 413 and 415 count too, and say what is left', async (t) => {
  const { request } = await createGuarded(t, routes, { rateLimits })
  const attempts: [number, Parameters<typeof request>[2]][] = [
    [400, { headers: json, payload: '{"email":1}' }],
    [400, { headers: json, payload: '{' }],
    [413, { headers: json, payload: `{"email":"${'a'.repeat(20_000)}"}` }],
    [415, { headers: { 'content-type': 'text/plain' }, payload: 'a' }],
    [400, { headers: json }]
  ]
  for (const [index, [expected, options]] of attempts.entries()) {
    const { status, headers } = await request('POST', '/login', options)
    t.equal(status, expected)
    t.equal(headers['ratelimit-policy'], '"login";q=5;w=60')
    t.equal(headers.ratelimit, `"login";r=${4 - index};t=60`)
  }
  const { status, headers } = await request('POST', '/login', good)
  t.equal(status, 429)
  t.equal(headers['ratelimit-policy'], '"login";q=5;w=60')
  t.equal(headers.ratelimit, '"login";r=0;t=60')
})

t.test('the attempt over the limit is refused before its body is read', async (t) => {
  let read = 0
  const { request } = await createGuarded(
    t,
    (app) => {
      app.addHook('preParsing', async () => {
        read += 1
      })
      routes(app)
    },
    { rateLimits }
  )
  for (let attempt = 1; attempt <= 8; attempt += 1) await request('POST', '/login', good)
  t.equal(read, 5)
})

t.test('attempts count before anything is known about the caller', async (t) => {
  const { request } = await createGuarded(t, (app) => limited(app, 'login', 'bearer'), {
    rateLimits: { login: { max: 2, windowSeconds: 60 } }
  })
  const statuses = []
  for (let attempt = 1; attempt <= 4; attempt += 1) statuses.push((await request('POST', '/login', good)).status)
  t.strictSame(statuses, [401, 401, 429, 429])
})

t.test('the window begins with the first attempt, and no later one moves it', async (t) => {
  const { request, clock } = await createGuarded(t, routes, { rateLimits })
  await request('POST', '/login', good)
  clock.advance('59s')
  for (let attempt = 2; attempt <= 5; attempt += 1) await request('POST', '/login', good)
  const refused = await request('POST', '/login', good)
  t.equal(refused.status, 429)
  t.equal(refused.headers['retry-after'], '1')
  clock.advance('1s')
  const { status, headers } = await request('POST', '/login', good)
  t.equal(status, 204)
  t.equal(headers.ratelimit, '"login";r=4;t=60')
})

t.test('a limit that is off refuses nobody and says nothing', async (t) => {
  const { request } = await createGuarded(t, routes, { rateLimits: { ...rateLimits, login: undefined } })
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    const { status, headers } = await request('POST', '/login', good)
    t.equal(status, 204)
    t.notOk('ratelimit' in headers || 'ratelimit-policy' in headers)
  }
})

t.test('a route without a limit says nothing of limits', async (t) => {
  const { request } = await createGuarded(t, routes, { rateLimits })
  const { headers } = await request('GET', '/free')
  t.notOk(Object.keys(headers).some((name) => name.includes('ratelimit')))
})

t.test('an attempt that cannot be counted is refused, never let through', async (t) => {
  const failures = [
    () => Promise.reject(new Error('no connection')),
    () => Promise.reject('no connection'),
    () => {
      throw new Error('no connection')
    }
  ]
  for (const fail of failures) {
    const { request } = await createGuarded(t, routes, { rateLimits, counter: () => fail })
    const { status, code, headers, body } = await request('POST', '/login', good)
    t.equal(status, 503)
    t.equal(code, 'unavailable')
    t.equal(headers['retry-after'], '1')
    t.notMatch(body, 'no connection')
  }
})

t.test('another counter can take the place of the memory, one for each policy', async (t) => {
  const counted: string[] = []
  const { request } = await createGuarded(t, routes, {
    rateLimits,
    counter:
      ({ name, windowMs }) =>
      async (key) => {
        counted.push(`${name} ${windowMs} ${key}`)
        return { used: 6, resetMs: 1 }
      }
  })
  const { status, headers } = await request('POST', '/signup', good)
  t.equal(status, 429)
  t.equal(headers['retry-after'], '1')
  t.strictSame(counted, ['signup 60000 203.0.113.9'])
})

t.test('a route that names an unknown limit stops the boot', async (t) => {
  for (const name of ['logins', 'constructor', '']) {
    await t.rejects(
      createGuarded(t, (app) => limited(app, name)),
      { message: /names the limit/ }
    )
  }
})
