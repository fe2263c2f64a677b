import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createApp, type HttpAnswer, newUser, password, uniqueEmail } from './fixtures/app.js'
import { until } from './fixtures/database.js'
import { connect } from './fixtures/postgres.js'
import { createServer } from './fixtures/server.js'

/** DATABASE_TIMEOUT is 3 s. Two waits in a row would take longer than this; one does not, also on a busy machine. */
const TOO_LATE_MS = 4_500

const server = await createServer(t, { max_connections: '25' })
const rateLimits = { login: undefined, signup: undefined, refresh: undefined }
const { app, http } = await createApp(t, { config: { databaseUrl: server.url('?sslmode=disable'), rateLimits } })
const user = await newUser(http)
const other = await newUser(http)
const credentials = { email: user.email, password }

type Requests = Record<string, () => Promise<HttpAnswer>>

const me = () => http('GET', '/auth/me', { token: user.token })
const login = () => http('POST', '/auth/login', { body: credentials })
const reads: Requests = {
  me,
  sessions: () => http('GET', `/auth/users/${user.user_id}/sessions`, { token: user.token })
}
const writes: Requests = {
  login,
  'wrong password': () => http('POST', '/auth/login', { body: { ...credentials, password: 'Wrong1password' } }),
  signup: () => http('POST', '/auth/signup', { body: { email: uniqueEmail(), password } }),
  refresh: () => http('POST', '/auth/refresh', { body: { refresh_token: user.refresh_token } }),
  logout: () => http('POST', '/auth/logout', { token: other.token }),
  "another's path": () => http('GET', `/auth/users/${user.user_id}`, { token: other.token })
}

/** Each of them is 503 `unavailable`, in time. */
async function unavailable(t: Test, requests: Requests): Promise<void> {
  const late = sleep(TOO_LATE_MS, undefined, { ref: false })
  await Promise.all(
    Object.entries(requests).map(async ([name, send]) => {
      const answer = await Promise.race([send(), late])
      t.match(answer, { status: 503, body: { code: 'unavailable' }, headers: { 'retry-after': '1' } }, name)
    })
  )
}

async function isReady(): Promise<boolean> {
  return (await http('GET', '/readyz')).status === 200
}

/** From now on within 3 s, with some patience for a busy machine; a good token is never refused meanwhile. */
async function recovers(t: Test): Promise<void> {
  const statuses = new Set<number>()
  const well = until(async () => {
    const { status } = await me()
    statuses.add(status)
    return status === 200 && (await isReady())
  })
  const inTime = await Promise.race([well.then(() => true), sleep(TOO_LATE_MS, false, { ref: false })])
  t.ok(inTime, 'all is well in time')
  statuses.delete(503)
  t.strictSame([...statuses], [200])
  t.equal((await login()).status, 200)
}

t.test(
  'a server that stops answering is 503 for all, at once as soon as it is known, and alive again in time',
  async (t) => {
    await server.pause()
    await unavailable(t, { ...reads, ...writes })
    t.equal(await isReady(), false)
    t.equal((await http('GET', '/livez')).status, 200)
    await until(() => app.database.state() === 'unavailable')
    // Signing keys are old by now: a token's check may not wait for them first, and then for its session.
    await unavailable(t, reads)
    server.resume()
    await recovers(t)
  }
)

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  t.test(`a server that ends by ${signal} is 503 for all, and its restart is noticed in time`, async (t) => {
    await server.stop(signal)
    await unavailable(t, { ...reads, ...writes })
    await unavailable(t, { ...reads, ...writes })
    await until(async () => !(await isReady()))
    await server.start({ max_connections: '25' })
    await recovers(t)
  })
}

t.test('a server that is full is 503 for all, until others have gone', async (t) => {
  const behind = connect(server.url(), 1)
  const others = connect(server.url(), 25)
  t.teardown(() => behind.end())
  await until(async () => {
    await behind`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'postern'`
    const taken = await Promise.allSettled([others.reserve(), others.reserve()])
    const [row] = await behind`select count(*)::int as ours from pg_stat_activity where application_name = 'postern'`
    const isFull = taken.every(({ status }) => status === 'rejected') && row?.ours === 0
    return isFull && app.database.state() === 'unavailable'
  })
  await unavailable(t, { ...reads, ...writes })
  await others.end({ timeout: 0 })
  await recovers(t)
})

t.test('rows that somebody else holds are 503, and nothing else waits for them', async (t) => {
  const behind = connect(server.url(), 1)
  t.teardown(() => behind.end())
  await behind.begin(async (holder) => {
    await holder`select from postern.users where email = ${user.email} for update`
    await unavailable(t, { login })
    t.equal((await me()).status, 200)
  })
  await recovers(t)
})

t.test('a database that is read-only answers what it can, and 503 to what it cannot', async (t) => {
  await server.stop()
  await server.start({ max_connections: '25', default_transaction_read_only: 'on' })
  await until(async () => (await me()).status === 200)
  await unavailable(t, writes)
  await server.stop()
  await server.start({ max_connections: '25' })
  await recovers(t)
})
