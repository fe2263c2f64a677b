import t from 'tap'
import { createApp, password } from '../fixtures/app.js'
import { createDatabase } from '../fixtures/postgres.js'
import { postern, settingsFor } from '../fixtures/process.js'

type App = Awaited<ReturnType<typeof createApp>>

const EMAIL = 'ada@example.com'

/** A service, and `postern admin create …` on its database: exit code and what was written. */
async function createCommand(t: Parameters<typeof createApp>[0]) {
  const app = await createApp(t)
  const env = settingsFor(app.config.databaseUrl as string)
  const run = async (args: string[], input?: string) => {
    const { ended, output } = postern(t, ['admin', 'create', ...args], env, [], input)
    return { code: await ended, ...output() }
  }
  return { app, run }
}

const login = ({ http }: App, secret: string) =>
  http('POST', '/auth/login', { body: { email: EMAIL, password: secret } })

t.test('postern admin create makes an admin with a generated password, which is shown once', async (t) => {
  const { app, run } = await createCommand(t)
  const { code, stdout, stderr } = await run(['Ada@Example.com'])
  t.match({ code, stderr }, { code: 0, stderr: '' })
  const [, secret = ''] =
    /^ada@example\.com is an admin\npassword {2}(\S{32})\nIt is shown this once\.\n$/.exec(stdout) ?? []
  const { status, body } = await login(app, secret)
  t.equal(status, 200)
  t.equal((await app.http('GET', '/admin/api/users', { token: body.token })).status, 200)
  const rows = await app.sql`select * from postern.auth_events where email = ${EMAIL} order by created_at, id`
  t.match(rows.slice(0, 2), [
    { event_type: 'signup', success: true, ip_address: null, details: { by: 'cli' } },
    { event_type: 'user_updated', success: true, details: { by: 'cli', changes: { role: 'admin' } } }
  ])
  t.notMatch(JSON.stringify(rows), secret)
})

t.test('a password from standard input is judged by the policy of the service, and not shown', async (t) => {
  const { app, run } = await createCommand(t)
  const weak = await run([EMAIL, '--password-stdin'], 'horse\n')
  t.match(weak, { code: 1, stdout: '', stderr: /^postern: the password is refused: .*8 characters/ })
  t.match(await run([EMAIL, '--password-stdin'], ''), { code: 1, stderr: /no password/ })
  const good = await run([EMAIL, '--password-stdin', '--json'], `${password}\n`)
  t.equal(good.code, 0)
  t.strictSame(Object.keys(JSON.parse(good.stdout)), ['user_id', 'email', 'role'])
  t.equal((await login(app, password)).status, 200)
})

t.test('an account that is there is never made an admin without --promote, which logs it out everywhere', async (t) => {
  const { app, run } = await createCommand(t)
  const { body: theirs } = await app.http('POST', '/auth/signup', { body: { email: EMAIL, password } })
  const refused = await run([EMAIL])
  t.match(refused, { code: 1, stdout: '', stderr: /--promote/ })
  const [before] = await app.sql`select role, password_hash from postern.users where email = ${EMAIL}`
  t.equal(before?.role, 'user')
  const promoted = await run([EMAIL, '--promote'])
  t.match(promoted, { code: 0, stderr: '' })
  const [after] = await app.sql`select role, password_hash from postern.users where email = ${EMAIL}`
  t.match(after, { role: 'admin', password_hash: before?.password_hash })
  t.equal((await app.http('GET', '/auth/me', { token: theirs.token })).status, 401)
  t.match(await run(['nobody@example.com', '--promote']), { code: 1, stderr: /there is no account/ })
})

t.test('postern admin create tells a bad argument and a database that is not migrated, without a stack', async (t) => {
  const env = settingsFor(await createDatabase(t, { empty: true }))
  for (const [args, code, message] of [
    [['ada'], 64, /not an email address/],
    [[], 64, /missing required argument/],
    [[EMAIL, '--promote', '--password-stdin'], 64, /cannot be used with/],
    [[EMAIL], 1, /postern migrate/]
  ] as const) {
    const { ended, output } = postern(t, ['admin', 'create', ...args], env)
    t.equal(await ended, code)
    t.match(output().stderr, message)
    t.notMatch(output().stderr, /\n\s+at /)
  }
})
