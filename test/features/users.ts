import t from 'tap'
import { createApp, newUser } from '../fixtures/app.js'

const stranger = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'

t.test('me answers the user of the token', async (t) => {
  const { http } = await createApp(t)
  const user = await newUser(http)
  const { status, body } = await http('GET', '/auth/me', { token: user.token })
  t.equal(status, 200)
  t.match(body, { user_id: user.user_id, email: user.email, is_active: true, last_login: String })
})

t.test("a path's user_id must be the token's, in any case of its letters", async (t) => {
  const { http, sql } = await createApp(t)
  const user = await newUser(http)
  const other = await newUser(http)
  t.equal((await http('GET', `/auth/users/${user.user_id}`, { token: user.token })).status, 200)
  t.equal((await http('GET', `/auth/users/${user.user_id.toUpperCase()}`, { token: user.token })).status, 200)
  for (const id of [other.user_id, stranger]) {
    const { status, body } = await http('GET', `/auth/users/${id}`, { token: user.token })
    t.equal(status, 403)
    t.equal(body.code, 'not_your_resource')
  }
  const events =
    await sql`select user_id, failure_reason from postern.auth_events where event_type = 'ownership_denied'`
  t.equal(events.length, 2)
  t.match(events[0], { user_id: user.user_id, failure_reason: 'not_owner' })
})

t.test('the token is judged before the path: a bad one is 401 whatever the id', async (t) => {
  const { http } = await createApp(t)
  const user = await newUser(http)
  t.equal((await http('GET', `/auth/users/${stranger}`)).status, 401)
  t.equal((await http('GET', '/auth/users/nonsense', { token: 'nonsense' })).status, 401)
  t.equal((await http('GET', '/auth/users/nonsense', { token: user.token })).status, 400)
})

t.test('a user that is switched off is refused at the next request', async (t) => {
  const { http, sql } = await createApp(t)
  const user = await newUser(http)
  await sql`update postern.users set is_active = false`
  const { status, body } = await http('GET', '/auth/me', { token: user.token })
  t.equal(status, 401)
  t.equal(body.code, 'session_ended')
})
