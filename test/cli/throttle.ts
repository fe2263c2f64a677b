import t from 'tap'
import { password } from '../fixtures/app.js'
import { createDatabase } from '../fixtures/postgres.js'
import { postern, settingsFor } from '../fixtures/process.js'
import { createThrottleApp } from '../fixtures/throttle.js'

const HOME = '192.0.2.1'
const STRANGER = '198.51.100.7'

const app = await createThrottleApp(t)
const env = settingsFor(app.config.databaseUrl ?? '')

async function run(args: string[], settings = env) {
  const { ended, output } = postern(t, ['throttle', ...args], settings)
  return { code: await ended, ...output() }
}

t.test('nobody waits', async (t) => {
  const [text, json] = await Promise.all([run(['list']), run(['list', '--json'])])
  t.match(text, { code: 0, stdout: 'nobody\n', stderr: '' })
  t.strictSame(JSON.parse(json.stdout), { counts: [], total: 0 })
})

t.test('list shows who has to wait, and since which failures, as a table and as JSON', async (t) => {
  const { email, userId } = await app.signup(HOME)
  await app.guess(10, 'nobody@example.com', STRANGER)
  await app.guess(10, email, STRANGER)
  await app.guess(3, email, HOME)
  const { code, stdout } = await run(['list', '--json'])
  t.equal(code, 0)
  const { counts, total } = JSON.parse(stdout)
  t.equal(total, 2)
  t.match(counts, [
    { email, user_id: userId, address: null, failures: 10, last_attempt: /^\d{4}-.*Z$/ },
    { email: 'nobody@example.com', user_id: null, address: null, failures: 10 }
  ])
  for (const { wait_seconds: seconds } of counts) t.ok(seconds > 0 && seconds <= 30)
  const table = (await run(['list', '--all', '--limit', '2'])).stdout.split('\n')
  t.match(table[0], /^EMAIL +ACCOUNT +COUNTED FOR/)
  t.match(table[1], new RegExp(`^${email} +yes +unknown addresses +10 +\\d+ s +\\d{4}-`))
  t.strictSame(table.slice(3), ['and 1 more', ''])
  const every = JSON.parse((await run(['list', '--all', '--json'])).stdout)
  t.match(every, { total: 3, counts: [{}, {}, { email, address: HOME, failures: 3, wait_seconds: 0 }] })
})

t.test('clear lifts every wait of an email in any spelling, with an event, and once', async (t) => {
  const { email, userId } = await app.signup(HOME)
  await app.guess(11, email, STRANGER)
  await app.guess(11, email, HOME)
  const first = await run(['clear', email.toUpperCase()])
  t.match(first, { code: 0, stdout: `${email} can log in at once\n`, stderr: '' })
  for (const from of [STRANGER, HOME]) t.equal((await app.login(email, from, password)).status, 200)
  t.strictSame(JSON.parse((await run(['clear', email, '--json'])).stdout), { email, cleared: 0 })
  const rows = await app.sql`select * from postern.auth_events where event_type = 'throttle_cleared'`
  t.match([...rows], [{ user_id: userId, email, success: true, ip_address: null, details: { counts: 2 } }])
  t.equal(rows.length, 1)
})

t.test('a wait that cannot be recorded as lifted is not lifted', async (t) => {
  const own = await createThrottleApp(t)
  const { email } = await own.signup(HOME)
  await own.guess(10, email, STRANGER)
  await own.sql`alter table postern.auth_events add constraint no_more check (event_type <> 'throttle_cleared')`
  const { code, stdout, stderr } = await run(['clear', email], settingsFor(own.config.databaseUrl ?? ''))
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /^postern: .+\n$/)
  t.equal((await own.login(email, STRANGER, password)).status, 429)
})

t.test('what is no email, and what is no limit, is refused with a line', async (t) => {
  const wrong = [['clear', 'ada'], ['list', '--limit', '0'], ['raise']]
  for (const { code, stdout, stderr } of await Promise.all(wrong.map((args) => run(args)))) {
    t.equal(code, 64)
    t.equal(stdout, '')
    t.match(stderr, /^postern: .+\n/)
  }
})

t.test('wrong settings are 78; a database that is not migrated is a line that says what to do', async (t) => {
  t.equal((await run(['list'], { ...env, PORT: 'x' })).code, 78)
  const { code, stderr } = await run(['list'], settingsFor(await createDatabase(t, { empty: true })))
  t.equal(code, 1)
  t.equal(stderr, 'postern: the database has to be migrated first: postern migrate\n')
})
