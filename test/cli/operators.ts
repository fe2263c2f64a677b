import t from 'tap'
import { createAdminApp } from '../fixtures/admin.js'
import { newUser, password } from '../fixtures/app.js'
import { until } from '../fixtures/database.js'
import { postern, settingsFor } from '../fixtures/process.js'

async function createCommands(t: Parameters<typeof createAdminApp>[0]) {
  const app = await createAdminApp(t)
  const env = settingsFor(app.config.databaseUrl as string)
  const start = (...args: string[]) => postern(t, args, env)
  const run = async (...args: string[]) => {
    const { ended, output } = start(...args)
    return { code: await ended, ...output() }
  }
  return { ...app, start, run }
}

t.test('postern users show has what the admin API has, by email or id', async (t) => {
  const app = await createCommands(t)
  const user = await newUser(app.http)
  await app.http('POST', '/auth/login', { body: { email: user.email, password: 'Wrong1horse' } })
  const { body: expected } = await app.call('GET', `/users/${user.user_id}`)
  for (const name of [user.email.toUpperCase(), user.user_id]) {
    const { code, stdout, stderr } = await app.run('users', 'show', name, '--json')
    t.match({ code, stderr }, { code: 0, stderr: '' })
    t.strictSame(JSON.parse(stdout), expected)
  }
  const { stdout } = await app.run('users', 'show', user.email)
  for (const part of [user.user_id, 'active', 'wrong_password', expected.sessions[0].session_id]) t.match(stdout, part)
  t.notMatch(stdout, /\$2b|hash/)
  for (const name of ['nobody@example.com', '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a']) {
    t.match(await app.run('users', 'show', name), { code: 1, stdout: '', stderr: /^postern: there is no user/ })
  }
})

t.test('postern events shows the newest last, with the filters of the admin API', async (t) => {
  const app = await createCommands(t)
  const user = await newUser(app.http)
  await app.http('POST', '/auth/login', { body: { email: user.email, password: 'Wrong1horse' } })
  await app.http('POST', '/auth/login', { body: { email: user.email, password } })
  const { body } = await app.call('GET', `/events?email=${user.email}`)
  const json = await app.run('events', '--email', user.email, '--json')
  t.equal(json.code, 0)
  const lines = json.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.strictSame(lines, body.events.toReversed())
  const text = (await app.run('events', '--email', user.email, '--limit', '2')).stdout.split('\n')
  t.equal(text.length, 3)
  t.match(text[0], /^\S+Z {2}login {2}wrong_password {2}user-\S+ {2}127\.0\.0\.1$/)
  t.match(text[1], /login {2}ok/)
  const failed = (await app.run('events', '--success', 'false', '--reason', 'wrong_password', '--json')).stdout
  t.equal(failed.trim().split('\n').length, 1)
  t.equal((await app.run('events', '--type', 'key_revoked')).stdout, '')
})

t.test('an argument that means nothing ends with 64 and one line that says what would mean something', async (t) => {
  const env = settingsFor('postgres://127.0.0.1:1/nobody-is-asked')
  const cases: [string[], RegExp][] = [
    [['events', '--ip', 'x'], /'--ip <address>' argument 'x' is invalid\. .*203\.0\.113\.7/],
    [['events', '--email', 'x'], /ada@example\.com/],
    [['events', '--user', '1'], /it is not a UUID such as/],
    [['events', '--from', 'yesterday'], /it is not a time such as 2026-/],
    [['events', '--to', '2026-02-30T00:00:00Z'], /it is not a time/],
    [['events', '--type', 'x'], /Allowed choices/],
    [['events', '--limit', '0'], /it is not a whole number from 1 to/],
    [['events', 'more'], /too many arguments/],
    [['users', 'show', 'ada'], /neither an email address nor a UUID/],
    [['keys', 'export', '--format', 'der'], /Allowed choices are jwks, pem/]
  ]
  for (const [args, message] of cases) {
    const { ended, output } = postern(t, args, env)
    t.equal(await ended, 64, args.join(' '))
    t.match(output(), { stdout: '', stderr: message }, args.join(' '))
    t.match(output().stderr, /^postern: [^\n]+\n$/)
  }
})

t.test('postern events --follow shows each event that comes once, until it is stopped', async (t) => {
  const app = await createCommands(t)
  const user = await newUser(app.http)
  const { child, ended, output } = app.start('events', '--follow', '--email', user.email, '--json')
  const seen = () => output().stdout.trimEnd().split('\n').filter(Boolean)
  await until(() => seen().length === 1)
  for (let n = 0; n < 3; n += 1) await app.http('POST', '/auth/login', { body: { email: user.email, password } })
  await until(() => seen().length >= 4)
  // It has its time from before it was committed, as the row of a long transaction has.
  await app.sql`insert into postern.auth_events (id, event_type, success, email, created_at)
    values (gen_random_uuid(), 'logout', true, ${user.email}, now() - interval '5 seconds')`
  await until(() => seen().length >= 5)
  child.kill('SIGINT')
  t.equal(await ended, 'SIGINT')
  const types = seen().map((line) => JSON.parse(line).event_type)
  t.strictSame(types, ['signup', 'login', 'login', 'login', 'logout'])
})
