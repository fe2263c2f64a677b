import t from 'tap'
import { ApiError } from '../../src/errors.js'
import { eventOf } from '../../src/features/events/refusal.js'
import { createApp, newUser, password, uniqueEmail } from '../fixtures/app.js'

type App = Awaited<ReturnType<typeof createApp>>

const config = { rateLimits: { login: undefined, signup: undefined, refresh: undefined } }

/** The refusals in the trail, as `type reason` and how many answers they stand for. */
async function refusals({ app, sql }: App): Promise<Record<string, number>> {
  await app.events.flush()
  const found = await sql`select event_type || ' ' || failure_reason as name,
      sum(coalesce((details->>'count')::int, 1))::int as answers
    from postern.auth_events where failure_reason is not null group by 1`
  return Object.fromEntries(found.map(({ name, answers }) => [name, answers]))
}

/** Sends a body as it is. */
async function send({ app }: App, url: string, payload: string, headers: Record<string, string> = {}): Promise<number> {
  const all = { 'content-type': 'application/json', ...headers }
  return (await app.inject({ method: 'POST', url: url as '/', payload, headers: all })).statusCode
}

for (const [path, type] of Object.entries({
  '/auth/signup': 'signup',
  '/auth/login': 'login',
  '/auth/refresh': 'refresh'
})) {
  t.test(
    `a 400, 413 or 415 on ${path} is exactly one ${type} with invalid_request each, whatever refused it`,
    async (t) => {
      const app = await createApp(t, { config })
      const statuses = [
        await send(app, path, '{"email":1}'),
        await send(app, path, '{'),
        await send(app, path, '{"a":1,"a":1}'),
        await send(app, path, '[]'),
        await send(app, path, ''),
        await send(app, `${path}?x=1`, '{}'),
        await send(app, path, `{"a":"${'x'.repeat(17_000)}"}`),
        await send(app, path, 'a=1', { 'content-type': 'text/plain' })
      ]
      t.strictSame(statuses, [400, 400, 400, 400, 400, 400, 413, 415])
      t.strictSame(await refusals(app), { [`${type} invalid_request`]: 8 })
    }
  )
}

t.test('an event of an invalid request names the faults, and nothing that was sent', async (t) => {
  const app = await createApp(t, { config })
  await send(app, '/auth/signup', '{"email":"ada@example.com","password":7,"canary-field":"canary-value"}')
  const [row] = await app.sql`select * from postern.auth_events where failure_reason = 'invalid_request'`
  t.match(row?.details, { code: 'invalid_request', count: 1, faults: ['unknown_field', 'wrong_type'].sort() })
  t.notMatch(JSON.stringify(row), 'canary')
  t.equal(row?.email, null)
})

t.test('a weak password is a signup with weak_password, once for each answer', async (t) => {
  const app = await createApp(t, { config })
  for (let n = 0; n < 3; n += 1) {
    const { status, body } = await app.http('POST', '/auth/signup', {
      body: { email: uniqueEmail(), password: 'weak' }
    })
    t.match({ status, code: body.code }, { status: 400, code: 'weak_password' })
  }
  t.strictSame(await refusals(app), { 'signup weak_password': 3 })
})

t.test(
  'nothing is written of reads, of a request without a bearer, of 404 and 405, or of a 400 elsewhere',
  async (t) => {
    const app = await createApp(t, { config })
    const { user_id, token } = await newUser(app.http)
    const before = await app.sql`select count(*) from postern.auth_events`
    const answers = [
      await app.http('GET', '/auth/me', { token }),
      await app.http('GET', `/auth/users/${user_id}/events`, { token }),
      await app.http('GET', '/auth/me'),
      await app.http('GET', '/auth/nothing'),
      await app.http('PUT', '/auth/login'),
      await app.http('GET', `/auth/users/${user_id}/events?limit=0`, { token }),
      await app.http('GET', '/auth/users/none', { token })
    ]
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 200, 401, 404, 405, 400, 400]
    )
    t.strictSame(await app.sql`select count(*) from postern.auth_events`, before)
  }
)

t.test('a refusal that cannot be written is 503, and so is its repeat', async (t) => {
  const app = await createApp(t, { config })
  const user = await newUser(app.http)
  await app.sql`alter table postern.auth_events add constraint away check (false) not valid`
  const answers = [
    await app.http('POST', '/auth/login', { body: { email: user.email, password: 'Wrong0horse' } }),
    await app.http('POST', '/auth/login', { body: { email: user.email } }),
    await app.http('POST', '/auth/login', { body: { email: user.email } }),
    await app.http('GET', '/auth/me', { token: 'x.y.z' }),
    await app.http('POST', '/auth/login', { body: { email: user.email, password } })
  ]
  for (const { status, body, headers } of answers) {
    t.match({ status, code: body.code }, { status: 503, code: 'unavailable' })
    t.match(headers['retry-after'], /^\d+$/)
  }
  await app.sql`alter table postern.auth_events drop constraint away`
  t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 200)
  t.strictSame(await refusals(app), {})
})

t.test('the event that an error carries is the one that is written, and only it', async (t) => {
  const audit = { type: 'rate_limited', success: false, reason: 'rate_limited' } as const
  t.strictSame(eventOf(new ApiError('rate_limited', { audit }), 'login'), audit)
  t.strictSame(eventOf(new ApiError('invalid_request', { audit }), 'login'), audit)
  for (const code of ['missing_token', 'not_found', 'unavailable', 'internal_error', 'email_taken'] as const) {
    t.equal(eventOf(new ApiError(code), 'login'), undefined)
  }
  t.equal(eventOf(new ApiError('invalid_request'), undefined), undefined)
  const errors = Array.from({ length: 50 }, (_, n) => ({ field: `f${n}`, code: `c${n}`, message: '' }))
  const codes = errors.slice(0, 10).map(({ code }) => code)
  t.strictSame(eventOf(new ApiError('invalid_request', { errors }), 'login')?.details?.faults, codes)
})
