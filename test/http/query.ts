import { Type } from '@sinclair/typebox'
import t from 'tap'
import { createShell } from '../fixtures/shell.js'

const Query = Type.Object(
  { cursor: Type.Optional(Type.String()), limit: Type.Optional(Type.String()) },
  { additionalProperties: false }
)

function create(t: Parameters<typeof createShell>[0]) {
  return createShell(t, (scope) => {
    scope.get('/auth/list', { schema: { querystring: Query } }, async (request) => request.query)
    scope.get('/auth/plain', async () => ({}))
    scope.post('/auth/login', { schema: { body: { type: 'object' } } }, async () => ({}))
    scope.get('/auth/verify/*', { config: { anyQuery: true } }, async () => ({}))
  })
}

t.test('a described parameter is taken, decoded once', async (t) => {
  const app = await create(t)
  t.strictSame((await app.inject('/auth/list')).json(), {})
  t.strictSame((await app.inject('/auth/list?')).json(), {})
  t.strictSame((await app.inject('/auth/list?cursor=a%2526+b&limit=5')).json(), { cursor: 'a%26 b', limit: '5' })
  t.strictSame((await app.inject('/auth/list?cursor=a=b')).json(), { cursor: 'a=b' })
})

t.test('an unknown or repeated parameter is refused by its name', async (t) => {
  const app = await create(t)
  for (const [query, fault] of [
    ['x=1', { field: 'x', code: 'unknown_field' }],
    ['limit=1&limit=2', { field: 'limit', code: 'repeated' }],
    ['limit=1&limit=1', { field: 'limit', code: 'repeated' }],
    ['limit=1&%6cimit=1', { field: 'limit', code: 'repeated' }],
    ['limit[]=1', { field: 'limit[]', code: 'unknown_field' }],
    ['Limit=1', { field: 'Limit', code: 'unknown_field' }],
    ['__proto__=1', { field: '__proto__', code: 'unknown_field' }],
    ['limit=1;cursor=2&=1', { field: '', code: 'unknown_field' }]
  ] as const) {
    const answer = await app.inject(`/auth/list?${query}`)
    t.equal(answer.statusCode, 400, query)
    t.strictSame(
      answer.json().errors.map(({ field, code }: { field: string; code: string }) => ({ field, code })),
      [fault]
    )
  }
})

t.test('a route that describes no parameter takes none', async (t) => {
  const app = await create(t)
  for (const query of ['a=1', 'a', '=', '&', 'access_token=x']) {
    const answer = await app.inject(`/auth/plain?${query}`)
    t.strictSame([answer.statusCode, answer.json().code], [400, 'invalid_request'], query)
  }
  const login = await app.inject({ method: 'POST', url: '/auth/login?email=a', payload: {} })
  t.equal(login.statusCode, 400)
  t.equal((await app.inject('/auth/plain?')).statusCode, 200)
})

t.test('broken percent-encoding, invalid UTF-8, half a surrogate pair and NUL are refused', async (t) => {
  const app = await create(t)
  for (const text of ['%', '%zz', '%e9', '%c0%af', '%ed%a0%80', '%00', 'a%00b']) {
    for (const query of [`cursor=${text}`, `${text}=1`]) {
      const answer = await app.inject(`/auth/list?${query}`)
      t.strictSame([answer.statusCode, answer.json().code], [400, 'invalid_request'], query)
    }
  }
})

t.test('a query that belongs to somebody else is neither checked nor read', async (t) => {
  const app = await create(t)
  for (const query of ['a=1&a=2', '%zz', '%00']) t.equal((await app.inject(`/auth/verify/x?${query}`)).statusCode, 200)
})
