import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { ApiError, ERRORS, type ErrorCode } from '../../src/errors.js'
import { createShell, ISSUER } from '../fixtures/shell.js'

const codes = Object.keys(ERRORS) as ErrorCode[]

const CHALLENGES: Partial<Record<ErrorCode, string>> = {
  invalid_credentials: 'Bearer realm="postern"',
  missing_token: 'Bearer realm="postern"',
  invalid_refresh_token: 'Bearer realm="postern"',
  refresh_token_reused: 'Bearer realm="postern"',
  invalid_client: 'Basic realm="postern"',
  invalid_token: `Bearer realm="postern", error="invalid_token", error_description="${ERRORS.invalid_token.detail}"`,
  token_expired: `Bearer realm="postern", error="invalid_token", error_description="${ERRORS.token_expired.detail}"`,
  session_ended: `Bearer realm="postern", error="invalid_token", error_description="${ERRORS.session_ended.detail}"`
}

for (const code of codes) {
  t.test(`${code} is answered as problem+json with its status, title, type and request id`, async (t) => {
    const app = await createShell(t, (scope) => {
      scope.get('/auth/x', () => {
        throw new ApiError(code)
      })
    })
    const answer = await app.inject({ url: '/auth/x', headers: { 'x-request-id': 'request-1' } })
    const { status, title, detail } = ERRORS[code]
    t.equal(answer.statusCode, status)
    t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.strictSame(answer.json(), {
      type: `${ISSUER}/errors/${code}`,
      title,
      status,
      code,
      detail,
      request_id: 'request-1'
    })
    t.equal(answer.headers['www-authenticate'], CHALLENGES[code])
    t.equal(answer.headers['retry-after'], status === 429 || status === 503 ? '1' : undefined)
  })
}

t.test('every description in a challenge is a quoted-string of RFC 6750', async (t) => {
  for (const code of codes) t.match(ERRORS[code].detail, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, code)
})

t.test('the public options of an error are answered, and its private ones are not', async (t) => {
  const error = new ApiError('invalid_request', {
    detail: 'Two fields are wrong.',
    errors: [{ field: 'password', code: 'too_short', message: 'At least 8 characters.', min: 8 }],
    headers: { 'x-extra': '1' },
    cause: new Error('private-cause'),
    audit: { type: 'login', success: false, reason: 'unknown_email' }
  })
  const app = await createShell(t, (scope) => {
    scope.get('/auth/x', async () => {
      throw error
    })
  })
  const answer = await app.inject('/auth/x')
  t.equal(answer.json().detail, 'Two fields are wrong.')
  t.strictSame(answer.json().errors, error.options.errors)
  t.equal(answer.headers['x-extra'], '1')
  t.notMatch(answer.body + JSON.stringify(answer.headers), /private-cause|unknown_email|audit|stack/)
})

t.test('an error that is shared and frozen can be thrown again and again', async (t) => {
  const shared = Object.freeze(new ApiError('overloaded', Object.freeze({ retryAfterSeconds: 2.2 })))
  const app = await createShell(t, (scope) => {
    scope.get('/auth/x', async () => {
      throw shared
    })
  })
  const answers = await Promise.all(['first-request', 'other-request'].map((id) => get(id)))
  function get(id: string) {
    return app.inject({ url: '/auth/x', headers: { 'x-request-id': id } })
  }
  t.strictSame(
    answers.map((answer) => answer.json().request_id),
    ['first-request', 'other-request']
  )
  t.equal(answers[0]?.headers['retry-after'], '3', 'whole seconds, rounded up')
})

t.test('Retry-After is at least one second', async (t) => {
  const app = await createShell(t, (scope) => {
    scope.get('/auth/x', async () => {
      throw new ApiError('rate_limited', { retryAfterSeconds: 0 })
    })
  })
  t.equal((await app.inject('/auth/x')).headers['retry-after'], '1')
})

t.test('an ApiError is found inside the error of a driver that wraps it', async (t) => {
  const wrapped = new Error('outer', { cause: new Error('inner', { cause: new ApiError('unavailable') }) })
  const circle = new Error('circle')
  circle.cause = circle
  const app = await createShell(t, (scope) => {
    scope.get('/auth/wrapped', async () => {
      throw wrapped
    })
    scope.get('/auth/circle', async () => {
      throw circle
    })
  })
  t.equal((await app.inject('/auth/wrapped')).json().code, 'unavailable')
  t.equal((await app.inject('/auth/circle')).json().code, 'internal_error')
})

t.test('whatever else is thrown is internal_error, and only the log says what it was', async (t) => {
  const log: string[] = []
  const thrown: Record<string, unknown> = {
    error: new TypeError('secret detail of /srv/app'),
    status: Object.assign(new Error('secret detail'), { statusCode: 404, status: 403, code: 'ENOENT' }),
    header: Object.assign(new Error('secret detail'), { headers: { 'x-leak': 'secret detail' } }),
    text: 'secret detail',
    object: { secret: 'secret detail' },
    nothing: null
  }
  const app = await createShell(
    t,
    (scope) => {
      for (const [name, value] of Object.entries(thrown)) {
        scope.get(`/auth/${name}`, async () => {
          throw value
        })
      }
    },
    { log }
  )
  for (const name of Object.keys(thrown)) {
    const answer = await app.inject(`/auth/${name}`)
    t.equal(answer.statusCode, 500, name)
    t.equal(answer.json().code, 'internal_error')
    t.notMatch(answer.body + JSON.stringify(answer.headers), /secret|srv|TypeError|ENOENT|leak/)
  }
  const logged = log.map((line) => JSON.parse(line)).find(({ error }) => error?.type === 'TypeError')
  t.match(logged, { level: 50, error: { message: 'secret detail of /srv/app', stack: /errors\.[jt]s/ } })
})

t.test('the log holds neither the parameters of a failed statement nor the row it was about', async (t) => {
  const log: string[] = []
  const driver = Object.assign(new Error('duplicate key value violates unique constraint'), {
    name: 'PostgresError',
    code: '23505',
    constraint_name: 'users_email_key',
    detail: 'Failing row contains (canary).'
  })
  const statement = new Error('Failed query: insert into users values ($1)\nparams: canary', { cause: driver })
  Object.assign(statement, { name: 'DrizzleQueryError', query: 'insert …', params: ['canary'] })
  const app = await createShell(
    t,
    (scope) => {
      scope.get('/auth/x', async () => {
        throw statement
      })
    },
    { log }
  )
  t.equal((await app.inject('/auth/x')).statusCode, 500)
  t.notMatch(log.join(''), /canary/)
  t.match(log.join(''), /users_email_key.*PostgresError|PostgresError.*users_email_key/)
})

t.test('listeners are told of each refusal before its answer leaves, in order', async (t) => {
  const told: string[] = []
  const app = await createShell(t, (scope) => {
    scope.errors.onRefusal(async (error, request) => {
      await delay(20)
      told.push(`first ${error.code} ${request.url}`)
    })
    scope.errors.onRefusal(async (error) => {
      told.push(`second ${error.code}`)
    })
    scope.get('/auth/x', async () => {
      throw new ApiError('invalid_credentials')
    })
  })
  await app.inject('/auth/x')
  t.strictSame(told, ['first invalid_credentials /auth/x', 'second invalid_credentials'])
  await app.inject('/auth/y')
  t.strictSame(told.slice(2), ['first not_found /auth/y', 'second not_found'])
})

t.test('a refusal that cannot be recorded becomes 503', async (t) => {
  const app = await createShell(t, (scope) => {
    scope.errors.onRefusal(async () => {
      throw new Error('no database')
    })
    scope.get('/auth/x', async () => {
      throw new ApiError('invalid_credentials')
    })
  })
  const answer = await app.inject('/auth/x')
  t.equal(answer.statusCode, 503)
  t.equal(answer.json().code, 'unavailable')
  t.equal(answer.headers['retry-after'], '1')
  t.equal(answer.headers['www-authenticate'], undefined)
  t.notMatch(answer.body, /no database/)
})

t.test('an error is not cached, although the route had made its answer cacheable', async (t) => {
  const app = await createShell(t, (scope) => {
    scope.get('/auth/x', async (_request, reply) => {
      reply.headers({ 'cache-control': 'public, max-age=300', etag: '"1"', location: '/auth/y' })
      throw new ApiError('unavailable')
    })
  })
  const { headers } = await app.inject('/auth/x')
  t.equal(headers['cache-control'], 'no-store')
  t.equal(headers.etag, undefined)
  t.equal(headers.location, undefined)
})
