import t from 'tap'
import { createApp, newUser } from '../fixtures/app.js'
import { assertDead, client, startSession, tryRefresh, unlimited } from '../fixtures/sessions.js'

/** These are races for one row: on a busy machine the last of forty may wait longer than a request would. */
const patient = { ...unlimited, databaseTimeoutMs: 30_000 }

const ROUNDS = 200

t.test('a refresh changes its session once, in one transaction with its event, and a repeat does not', async (t) => {
  const app = await createApp(t, { config: patient })
  const user = await newUser(app.http)
  await app.sql`create table public.updates (at timestamptz default now())`
  await app.sql`create function note_update() returns trigger language plpgsql as
    'begin insert into public.updates default values; return null; end'`
  await app.sql`create trigger note_update after update on postern.sessions for each row execute function note_update()`
  const count = async () => (await app.sql`select count(*)::int as updates from public.updates`)[0]?.updates
  t.type(await tryRefresh(app, user.refresh_token), Object)
  t.equal(await count(), 1)
  const [row] = await app.sql`select s.xmin::text = e.xmin::text as together from postern.sessions s
    join postern.auth_events e on e.session_id = s.id where e.event_type = 'refresh'`
  t.equal(row?.together, true)
  t.type(await tryRefresh(app, user.refresh_token), Object)
  t.equal(await count(), 1)
})

t.test('20 refreshes of one token at once give one successor, also at two instances', async (t) => {
  const app = await createApp(t, { config: patient })
  const apps = [app, await createApp(t, { config: app.config })]
  const user = await newUser(app.http)
  let token = user.refresh_token
  for (let round = 0; round < ROUNDS; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => tryRefresh(apps[at % 2] as typeof app, token))
    )
    const successors = new Set(answers.map((answer) => (typeof answer === 'string' ? answer : answer.refreshToken)))
    t.equal(successors.size, 1)
    token = [...successors][0] as string
    t.match(token, /^prt_/)
  }
  const [row] = await app.sql`select refresh_counter::int as counter, (select count(*)::int from postern.auth_events
    where event_type = 'refresh' and success and details is null) as rotations from postern.sessions`
  t.match(row, { counter: ROUNDS, rotations: ROUNDS })
})

t.test('a refresh against reuse handling never leaves a live token', async (t) => {
  const app = await createApp(t, { config: patient })
  const user = await newUser(app.http)
  for (let round = 0; round < ROUNDS; round += 1) {
    const session = await startSession(app, user)
    const first = await tryRefresh(app, session.refreshToken)
    const second = typeof first === 'string' ? first : await tryRefresh(app, first.refreshToken)
    if (typeof second === 'string') throw new Error(`the first refreshes were refused: ${second}`)
    const [third, reuse] = await Promise.all([
      tryRefresh(app, second.refreshToken),
      tryRefresh(app, session.refreshToken)
    ])
    t.equal(reuse, 'refresh_token_reused')
    await assertDead(t, app, typeof third === 'string' ? second : third)
  }
})

t.test('ending all sessions of a user beside refreshes, logins and logouts deadlocks nowhere', async (t) => {
  const app = await createApp(t, { config: patient })
  const user = await newUser(app.http)
  for (let round = 0; round < 30; round += 1) {
    const sessions = await Promise.all(Array.from({ length: 5 }, () => startSession(app, user)))
    const [first, second, third] = sessions
    await Promise.all([
      ...sessions.map(({ refreshToken }) => tryRefresh(app, refreshToken)),
      app.app.sessions.logout(client, {
        scope: 'all',
        bearer: { userId: user.user_id, sessionId: first?.sessionId ?? '' }
      }),
      app.app.sessions.logout(client, { scope: 'others', refreshToken: second?.refreshToken }),
      app.app.sessions.logout(client, { refreshToken: third?.refreshToken }),
      app.app.db.transaction((tx) => app.app.sessions.endAll(tx, user.user_id)),
      startSession(app, user),
      startSession(app, user)
    ])
  }
  const [row] = await app.sql`select count(*)::int as deadlocks from pg_stat_database
    where datname = current_database() and deadlocks > 0`
  t.equal(row?.deadlocks, 0)
})
