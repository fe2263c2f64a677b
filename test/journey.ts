import t from 'tap'
import { serving } from './fixtures/process.js'

const credentials = { email: 'ada@example.com', password: 'Correct1horse' }

t.test('the whole life of a user, over HTTP, on a process of its own', async (t) => {
  const { url, child, ended } = await serving(t)

  async function call(method: string, path: string, { token, body }: { token?: string; body?: unknown } = {}) {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' })
    }
    const answer = await fetch(url + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  }

  t.match(await call('POST', '/auth/signup', { body: { ...credentials, password: 'weak' } }), {
    status: 400,
    body: { code: 'weak_password' }
  })
  const signup = await call('POST', '/auth/signup', { body: credentials })
  t.equal(signup.status, 201)
  t.match(await call('POST', '/auth/signup', { body: credentials }), { status: 409, body: { code: 'email_taken' } })

  const phone = await call('POST', '/auth/login', { body: credentials })
  t.equal(phone.status, 200)
  const { user_id: userId, token } = phone.body
  const own = `/auth/users/${userId}`

  t.match(await call('GET', '/auth/me', { token }), {
    status: 200,
    body: { user_id: userId, email: credentials.email }
  })
  t.match(await call('GET', own, { token }), { status: 200 })
  t.match(await call('GET', '/auth/users/01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a', { token }), {
    status: 403,
    body: { code: 'not_your_resource' }
  })

  const listed = await call('GET', `${own}/sessions`, { token })
  t.equal(listed.body.sessions.length, 2)
  const other = listed.body.sessions.find((session: { current: boolean }) => !session.current)
  t.equal((await call('DELETE', `${own}/sessions/${other.session_id}`, { token })).status, 204)
  t.match(await call('GET', '/auth/me', { token: signup.body.token }), { status: 401, body: { code: 'session_ended' } })

  const refreshed = await call('POST', '/auth/refresh', { body: { refresh_token: phone.body.refresh_token } })
  t.equal(refreshed.status, 200)
  t.not(refreshed.body.refresh_token, phone.body.refresh_token)
  t.equal((await call('GET', '/auth/me', { token: refreshed.body.token })).status, 200)

  const history = await call('GET', `${own}/events`, { token: refreshed.body.token })
  t.strictSame(
    history.body.events.map(({ event_type, success }: { event_type: string; success: boolean }) => [
      event_type,
      success
    ]),
    [
      ['refresh', true],
      ['token_rejected', false],
      ['session_revoked', true],
      ['ownership_denied', false],
      ['login', true],
      ['signup', true]
    ]
  )

  t.equal((await call('POST', '/auth/logout', { token })).status, 200)
  t.match(await call('GET', '/auth/me', { token: refreshed.body.token }), {
    status: 401,
    body: { code: 'session_ended' }
  })
  t.match(await call('POST', '/auth/refresh', { body: { refresh_token: refreshed.body.refresh_token } }), {
    status: 401,
    body: { code: 'invalid_refresh_token' }
  })

  child.kill('SIGTERM')
  t.equal(await ended, 0)
})
