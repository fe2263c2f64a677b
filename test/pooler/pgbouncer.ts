/** Needs Debian's pgbouncer, so that it is no part of `npm test`. Run by scripts/test-pgbouncer.sh. */
import t, { type Test } from 'tap'
import { password, uniqueEmail } from '../fixtures/app.js'
import { until } from '../fixtures/database.js'
import { ADVISED, createPooler } from '../fixtures/pgbouncer.js'
import { connect, createDatabase, serverUrl } from '../fixtures/postgres.js'
import { postern, settingsFor } from '../fixtures/process.js'

/** Fewer than requests at once, so that statements of one client go to many sessions, and many to one. */
const FEW = { default_pool_size: '3' }

interface Answer {
  status: number
  /** biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape that it expects */
  body: any
}

type Instance = (method: string, path: string, options?: { token?: string; body?: unknown }) => Promise<Answer>

/** Two instances that were started at once on an empty database, through a pooler of their own. */
async function createWorld(t: Test, settings: Record<string, string> = {}) {
  const direct = connect(
    `${serverUrl().replace(/\/[^/]*$/, '')}${new URL(await createDatabase(t, { empty: true })).pathname}`
  )
  const [row] = await direct`select current_database() as name`
  const pooler = await createPooler(serverUrl(), { ...FEW, ...settings })
  t.teardown(async () => {
    await pooler.stop()
    await direct.end()
    if (!t.passing()) t.comment(pooler.output())
  })
  const url = pooler.url.replace(/postgres$/, String(row?.name))
  const env = { ...settingsFor(url), RATE_LIMIT_SIGNUP: 'off', RATE_LIMIT_LOGIN: 'off', RATE_LIMIT_REFRESH: 'off' }
  const processes = [1, 2].map(() => postern(t, ['serve'], env))
  const instances: Instance[] = []
  for (const running of processes) {
    const { url = '' } = await running.line('ready')
    instances.push(caller(url))
  }
  const command = async (...args: string[]) => {
    const { ended, output } = postern(t, args, env)
    return { code: await ended, ...output() }
  }
  const log = () => processes.flatMap((running) => running.log())
  return { pooler, direct, first: instances[0] as Instance, second: instances[1] as Instance, command, log }
}

function caller(url: string): Instance {
  return async (method, path, { token, body } = {}) => {
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
}

async function migratedOnce(t: Test, { log, direct }: Awaited<ReturnType<typeof createWorld>>) {
  t.equal(log().filter(({ msg }) => msg === 'the database has been migrated').length, 1)
  const [row] =
    await direct`select count(*)::int as all, count(distinct hash)::int as kinds from postern.__drizzle_migrations`
  t.equal(row?.all, row?.kinds)
  const [keys] = await direct`select count(*)::int as made from postern.signing_keys`
  t.equal(keys?.made, 2, 'and one of them made the keys: one that signs, one that will')
}

t.test('two instances on an empty database migrate it once, and share the life of a user', async (t) => {
  const world = await createWorld(t)
  const { first, second, command } = world
  await migratedOnce(t, world)

  const credentials = { email: uniqueEmail(), password }
  const signup = await first('POST', '/auth/signup', { body: credentials })
  t.equal(signup.status, 201)
  t.equal((await second('POST', '/auth/signup', { body: credentials })).status, 409)
  const login = await second('POST', '/auth/login', { body: credentials })
  t.equal(login.status, 200)
  const { token, refresh_token: refreshToken } = login.body
  for (const instance of [first, second]) t.equal((await instance('GET', '/auth/verify/api/x', { token })).status, 200)

  const refreshed = await first('POST', '/auth/refresh', { body: { refresh_token: refreshToken } })
  t.equal(refreshed.status, 200)
  const again = await second('POST', '/auth/refresh', { body: { refresh_token: refreshToken } })
  t.equal(again.body.refresh_token, refreshed.body.refresh_token, 'the other instance makes the same successor')

  t.equal((await first('POST', '/auth/logout', { token, body: {} })).status, 200)
  t.match(await second('GET', '/auth/verify/api/x', { token }), { status: 401, body: { code: 'session_ended' } })

  const email = uniqueEmail()
  const made = await command('admin', 'create', email, '--json')
  t.equal(made.code, 0, made.stderr)
  const admin = await second('POST', '/auth/login', { body: { email, password: JSON.parse(made.stdout).password } })
  const users = await first('GET', '/admin/api/users', { token: admin.body.token })
  t.match(users, { status: 200 })
  t.ok(users.body.users.length >= 2)
  t.equal((await first('GET', '/admin/api/stats', { token: admin.body.token })).status, 200)
  t.equal((await second('GET', '/admin/api/insights', { token: admin.body.token })).status, 200)
})

t.test('keys that a command rotates are followed by both instances', async (t) => {
  const { first, second, command } = await createWorld(t)
  const user = (await first('POST', '/auth/signup', { body: { email: uniqueEmail(), password } })).body
  const kidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
  const rotated = await command('keys', 'rotate', '--now', '--json')
  t.equal(rotated.code, 0, rotated.stderr)
  const { current } = JSON.parse(rotated.stdout)
  for (const instance of [first, second]) {
    await until(async () => {
      const login = await instance('POST', '/auth/login', { body: { email: user.email, password } })
      return login.status === 200 && kidOf(login.body.token) === current.kid
    })
    t.equal((await instance('GET', '/auth/me', { token: user.token })).status, 200, 'the old token is still good')
  }
})

async function hundredsAtOnce(t: Test, world: Awaited<ReturnType<typeof createWorld>>): Promise<void> {
  const { first, second, direct } = world
  const users = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const { body } = await (index % 2 ? first : second)('POST', '/auth/signup', {
        body: { email: uniqueEmail(), password }
      })
      return body
    })
  )
  const wrong: string[] = []
  const ask = async (instance: Instance, { user_id: id, token, email }: Answer['body']) => {
    for (const [path, right] of [
      ['/auth/me', (body: Answer['body']) => body.email === email],
      [`/auth/users/${id}/sessions`, (body: Answer['body']) => body.sessions.length >= 1],
      [`/auth/users/${id}/events?limit=1`, (body: Answer['body']) => body.events.length === 1]
    ] as const) {
      const { status, body } = await instance('GET', path, { token })
      if (status !== 200 || !right(body)) wrong.push(`${path}: ${status} ${JSON.stringify(body)}`)
    }
    const { status } = await instance('POST', '/auth/login', { body: { email, password } })
    if (status !== 200) wrong.push(`login: ${status}`)
  }
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(users.flatMap((user) => [ask(first, user), ask(second, user)]))
  }
  t.strictSame(wrong, [])
  const [row] = await direct`select count(*)::int as sessions from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
  t.ok(row?.sessions <= 3, `${row?.sessions} sessions for two instances`)
}

t.test(
  'PgBouncer as it is: statements of many clients share few sessions, and none gets the answer of another',
  async (t) => {
    const world = await createWorld(t)
    await hundredsAtOnce(t, world)
    const told = world.log().filter(({ msg }) => String(msg).includes('refuses statement_timeout'))
    t.equal(told.length, 2, 'each instance says once what to set for the role')
  }
)

t.test('PgBouncer that ignores our limits: the same, and nothing to tell', async (t) => {
  const world = await createWorld(t, ADVISED)
  await migratedOnce(t, world)
  await hundredsAtOnce(t, world)
  t.strictSame(
    world.log().filter(({ level, msg }) => Number(level) >= 40 && !/is not ready|cannot be used/.test(String(msg))),
    []
  )
})

t.test('with PgBouncer away every answer is 503, and all is well after its return', async (t) => {
  const { pooler, first, second } = await createWorld(t)
  const { body: user } = await first('POST', '/auth/signup', { body: { email: uniqueEmail(), password } })
  await pooler.stop()
  for (const instance of [first, second]) {
    t.match(await instance('GET', '/auth/me', { token: user.token }), { status: 503, body: { code: 'unavailable' } })
    await until(async () => (await instance('GET', '/readyz')).status === 503)
    t.equal((await instance('GET', '/livez')).status, 200)
  }
  await pooler.start()
  for (const instance of [first, second]) {
    await until(async () => (await instance('GET', '/auth/me', { token: user.token })).status === 200)
  }
})
