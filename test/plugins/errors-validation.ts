import { Type } from '@sinclair/typebox'
import t from 'tap'
import { optionalBody, queryInteger, Uuid } from '../../src/schemas.js'
import { createShell } from '../fixtures/shell.js'

const limit = queryInteger({ minimum: 1, maximum: 100, fallback: 50 })

const Body = Type.Object(
  {
    email: Type.String({ maxLength: 10 }),
    password: Type.String({ minLength: 8 }),
    mode: Type.Optional(Type.Union([Type.Literal('one'), Type.Literal('two')])),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 3 })),
    tags: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z]+$' }), { maxItems: 2, uniqueItems: true })),
    nested: Type.Optional(Type.Object({ 'a/b~c': Type.Boolean() }, { additionalProperties: false })),
    note: Type.Optional(Type.Union([Type.String(), Type.Null()]))
  },
  { additionalProperties: false }
)

const Optional = optionalBody(
  Type.Object(
    { scope: Type.Optional(Type.Union([Type.Literal('all'), Type.Literal('others')])) },
    {
      additionalProperties: false
    }
  )
)

async function createRoutes(t: Parameters<typeof createShell>[0]) {
  const app = await createShell(t, (scope) => {
    scope.post('/auth/body', { schema: { body: Body } }, async (request) => request.body)
    scope.post('/auth/optional', { schema: { body: Optional } }, async (request) => ({ body: request.body ?? 'none' }))
    scope.get(
      '/auth/query',
      { schema: { querystring: Type.Object({ limit: limit.schema }, { additionalProperties: false }) } },
      async (request) => ({ limit: limit.parse((request.query as { limit?: string }).limit) })
    )
    scope.get(
      '/auth/users/:user_id',
      { schema: { params: Type.Object({ user_id: Uuid }, { additionalProperties: false }) } },
      async () => ({})
    )
  })
  /** The faults as `field code`, sorted; or the status of a success. */
  return async (url: string, payload?: unknown): Promise<string[] | unknown> => {
    const answer = await app.inject(
      payload === undefined
        ? { method: url === '/auth/optional' || url === '/auth/body' ? 'POST' : 'GET', url }
        : { method: 'POST', url, payload: JSON.stringify(payload), headers: { 'content-type': 'application/json' } }
    )
    if (answer.statusCode === 200) return answer.json()
    t.equal(answer.statusCode, 400)
    t.equal(answer.json().code, 'invalid_request')
    return answer
      .json()
      .errors.map(({ field, code }: { field: string; code: string }) => `${field} ${code}`)
      .sort()
  }
}

const good = { email: 'a@b.cd', password: '12345678' }

t.test('all faults of a body are named at once, each by its name on the wire', async (t) => {
  const faults = await createRoutes(t)
  t.strictSame(await faults('/auth/body', {}), ['email required', 'password required'])
  t.strictSame(await faults('/auth/body', { email: 'much too long', password: 'short', role: 'admin' }), [
    'email too_long',
    'password too_short',
    'role unknown_field'
  ])
  t.strictSame(await faults('/auth/body', { ...good, nested: { x: 1 } }), [
    'nested.a/b~c required',
    'nested.x unknown_field'
  ])
  t.strictSame(await faults('/auth/body', { ...good, nested: { 'a/b~c': 1 } }), ['nested.a/b~c wrong_type'])
  t.strictSame(await faults('/auth/body', { ...good, tags: ['a', 'B', '1'] }), [
    'tags too_many',
    'tags.1 invalid_format',
    'tags.2 invalid_format'
  ])
  t.strictSame(await faults('/auth/body', { ...good, tags: ['a', 'a'] }), ['tags repeated'])
  t.strictSame(await faults('/auth/body', { ...good, count: 0 }), ['count too_small'])
  t.strictSame(await faults('/auth/body', { ...good, count: 4 }), ['count too_large'])
})

t.test('a value of a union is at fault once', async (t) => {
  const faults = await createRoutes(t)
  t.strictSame(await faults('/auth/body', { ...good, mode: 'three' }), ['mode invalid_value'])
  t.strictSame(await faults('/auth/body', { ...good, mode: 3 }), ['mode wrong_type'])
  t.strictSame(await faults('/auth/body', { ...good, note: 5 }), ['note wrong_type'])
  t.strictSame(await faults('/auth/body', { ...good, note: null }), { ...good, note: null })
})

t.test('types are never coerced', async (t) => {
  const faults = await createRoutes(t)
  for (const value of [1, true, null, [], ['a@b.cd'], {}]) {
    t.strictSame(await faults('/auth/body', { ...good, email: value }), ['email wrong_type'], JSON.stringify(value))
  }
  for (const value of ['1', true, 1.5, null]) {
    t.strictSame(await faults('/auth/body', { ...good, count: value }), ['count wrong_type'], JSON.stringify(value))
  }
})

t.test('a fault never repeats the value, and says its bound', async (t) => {
  const app = await createShell(t, (scope) => {
    scope.post('/auth/body', { schema: { body: Body } }, async () => ({}))
  })
  const payload = { email: 'canary-canary', password: 'canary' }
  const answer = await app.inject({ method: 'POST', url: '/auth/body', payload })
  t.notMatch(answer.body, /canary/)
  t.match(answer.json().errors, [
    { field: 'email', max: 10 },
    { field: 'password', min: 8 }
  ])
})

t.test('a made-up name is cut, and a flood of them is bounded', async (t) => {
  const app = await createShell(t, (scope) => {
    scope.post('/auth/body', { schema: { body: Type.Object({}, { additionalProperties: false }) } }, async () => ({}))
  })
  const long = await app.inject({ method: 'POST', url: '/auth/body', payload: { ['😀'.repeat(1000)]: 1 } })
  t.equal(long.json().errors[0].field, '😀'.repeat(64))
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, 1]))
  const answer = await app.inject({ method: 'POST', url: '/auth/body', payload: many })
  t.equal(answer.json().errors.length, 100)
})

t.test('a body is required where one is described', async (t) => {
  const faults = await createRoutes(t)
  t.strictSame(await faults('/auth/body'), [' required'])
})

t.test('an optional body may be absent, and is checked when it is there', async (t) => {
  const faults = await createRoutes(t)
  t.strictSame(await faults('/auth/optional'), { body: 'none' })
  t.strictSame(await faults('/auth/optional', {}), { body: {} })
  t.strictSame(await faults('/auth/optional', { scope: 'all' }), { body: { scope: 'all' } })
  t.strictSame(await faults('/auth/optional', { scope: 'none' }), ['scope invalid_value'])
  t.strictSame(await faults('/auth/optional', { x: 1 }), ['x unknown_field'])
  for (const value of [null, [], 'all', 1]) t.strictSame(await faults('/auth/optional', value), [' wrong_type'])
})

t.test('an integer in a query is its plain decimal spelling, within its bounds', async (t) => {
  const faults = await createRoutes(t)
  t.strictSame(await faults('/auth/query'), { limit: 50 })
  t.strictSame(await faults('/auth/query?limit=1'), { limit: 1 })
  t.strictSame(await faults('/auth/query?limit=100'), { limit: 100 })
  for (const text of ['0', '101', '-1', '1.0', '1e1', '0x1', '01', '+1', '%201', '', 'NaN', '1%0A']) {
    t.strictSame(await faults(`/auth/query?limit=${text}`), ['limit invalid_format'], text)
  }
})

t.test('an id in a path is a UUID in either case', async (t) => {
  const faults = await createRoutes(t)
  t.strictSame(await faults('/auth/users/01909C70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'), {})
  for (const id of [
    '1',
    'x'.repeat(5000),
    '01909c703c4f7d1a9d3e0f1e2d3c4b5a',
    '%00',
    '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a%0A'
  ]) {
    t.strictSame(await faults(`/auth/users/${id}`), ['user_id invalid_format'], id.slice(0, 40))
  }
})
