import t from 'tap'
import { prepareFindChecked } from '../../src/features/sessions/store.js'
import { newAdmin } from '../fixtures/admin.js'
import { createApp, newUser } from '../fixtures/app.js'
import { indexesOf, planOf } from '../fixtures/plan.js'
import { type App, startSession, tryRefresh, unlimited } from '../fixtures/sessions.js'

const ROUNDS = 5
const CHECKS = 50
const clients = [{ id: 'gateway', secret: 'the-secret-of-the-gateway' }]

type User = Awaited<ReturnType<typeof newUser>>
type Session = Awaited<ReturnType<typeof startSession>>

interface Ending {
  app: App
  admin: User
  user: User
  /** The one that ends. */
  session: Session
  /** Another one of the same user. */
  other: Session
}

const logout = ({ app }: Ending, token: string, scope: string) =>
  app.http('POST', '/auth/logout', { token, body: { scope } })

const asAdmin = ({ app, admin }: Ending, method: string, path: string, body?: object) =>
  app.http(method, `/admin/api${path}`, { token: admin.token, ...(body && { body }) })

/** Each resolves to the answer that says that it is over. */
const ENDINGS: Record<string, (ending: Ending) => Promise<{ status: number }>> = {
  'a logout': (ending) => logout(ending, ending.session.token, 'session'),
  'a logout of all': (ending) => logout(ending, ending.other.token, 'all'),
  'a logout of the others': (ending) => logout(ending, ending.other.token, 'others'),
  'a logout by refresh token': ({ app, session }) =>
    app.http('POST', '/auth/logout', { body: { refresh_token: session.refreshToken } }),
  'its end from the list': ({ app, user, session, other }) =>
    app.http('DELETE', `/auth/users/${user.user_id}/sessions/${session.sessionId}`, { token: other.token }),
  'its end by an admin': (ending) => asAdmin(ending, 'DELETE', `/users/${ending.user.user_id}/sessions`),
  'the switching off of its user': (ending) =>
    asAdmin(ending, 'PATCH', `/users/${ending.user.user_id}`, { is_active: false }),
  'its revocation by a client': async ({ app, session }) => {
    const answer = await app.app.inject({
      method: 'POST',
      url: '/auth/revoke',
      payload: new URLSearchParams({ token: session.token }).toString(),
      headers: {
        authorization: `Basic ${Buffer.from('gateway:the-secret-of-the-gateway').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded'
      }
    })
    return { status: answer.statusCode }
  },
  'the reuse of a refresh token': async ({ app, session }) => {
    await tryRefresh(app, session.refreshToken)
    return await app.http('POST', '/auth/refresh', { body: { refresh_token: session.refreshToken } })
  },
  'a login beyond the limit': async ({ app, user }) => {
    for (let count = 0; count < 100; count += 1) await startSession(app, user)
    return { status: 200 }
  },
  'the deletion of its user': async ({ app, user }) => {
    await app.sql`delete from postern.users where id = ${user.user_id}`
    return { status: 200 }
  }
}

for (const [what, end] of Object.entries(ENDINGS)) {
  t.test(`after ${what} the next request is refused, at every instance`, async (t) => {
    const config = { ...unlimited, clients, refreshReuseIntervalSeconds: 0 }
    const one = await createApp(t, { config })
    const two = await createApp(t, { config: one.config })
    const admin = await newAdmin(one)
    const statuses: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const [here, there] = round % 2 === 0 ? [one, two] : [two, one]
      const user = await newUser(here.http)
      const session = await startSession(here, user)
      const other = await startSession(here, user)
      const { token } = session
      // Both have seen the token, and are asked about it when it ends.
      const ask = (app: App) => app.http('GET', '/auth/me', { token })
      for (const app of [here, there]) t.equal((await ask(app)).status, 200)
      const meanwhile = Array.from({ length: 10 }, () => ask(there))
      const { status } = await end({ app: here, admin, user, session, other })
      t.ok(status < 300 || (status === 401 && what === 'the reuse of a refresh token'), `${status}`)
      const answers = await Promise.all(Array.from({ length: CHECKS }, (_, at) => ask(at % 2 === 0 ? here : there)))
      statuses.push(...answers.map((answer) => answer.status))
      for (const app of [here, there]) t.equal(await tryRefresh(app, session.refreshToken), 'invalid_refresh_token')
      await Promise.all(meanwhile)
    }
    t.strictSame(statuses, Array(ROUNDS * CHECKS).fill(401))
  })
}

t.test('the check is one read by primary keys, of however many sessions', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  await app.sql`insert into postern.users (id, email, password_hash)
    select gen_random_uuid(), 'many-' || n || '@example.com', 'none' from generate_series(1, 5000) n`
  await app.sql`insert into postern.sessions (id, user_id, expires_at)
    select gen_random_uuid(), id, now() + interval '1 day' from postern.users, generate_series(1, 4)`
  await app.sql`analyze postern.users, postern.sessions`
  const { sql, params } = prepareFindChecked(app.app.db, 60).getQuery()
  const ids = `{${(await startSession(app, user)).sessionId}}`
  const plan = await planOf(app, {
    toSQL: () => ({ sql, params: params.map((param) => (typeof param === 'object' ? ids : param)) })
  })
  t.strictSame(indexesOf(plan).sort(), ['sessions_pkey', 'users_pkey'])
  t.notMatch(plan, /Seq Scan/)
})
