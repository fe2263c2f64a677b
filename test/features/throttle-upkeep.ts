import t from 'tap'
import { sweepThrottle } from '../../src/features/throttle/sweep.js'
import { password, uniqueEmail } from '../fixtures/app.js'
import { createRelay } from '../fixtures/relay.js'
import { createThrottleApp, elapse, times } from '../fixtures/throttle.js'

const HOME = '192.0.2.1'
const STRANGER = '198.51.100.7'

t.test('the sweep deletes what is forgotten, in bites, and nothing that still counts', async (t) => {
  const { app, sql, guess, login, signup } = await createThrottleApp(t)
  const old = await signup(HOME)
  await sql`insert into postern.throttle_counts (email, address_key, series, failures, attempted_at)
    select 'user-' || n || '@example.com', '', gen_random_uuid(), 3, now() from generate_series(1, 1200) as n`
  await elapse(sql, '30 days')
  const { email } = await signup(HOME)
  await guess(11, email, STRANGER)
  await elapse(sql, '23 hours')
  t.equal(await sweepThrottle(app.db), 1201)
  t.equal(await sweepThrottle(app.db), 0)
  const counts = await sql`select email, failures from postern.throttle_counts`
  t.match([...counts], [{ email, failures: 10 }])
  const known = await sql`select email from postern.known_addresses join postern.users on id = user_id`
  t.match([...known], [{ email }])
  t.equal((await login(old.email, HOME, password)).status, 200)
})

t.test('the sweep waits for nobody', async (t) => {
  const { app, sql, guess } = await createThrottleApp(t)
  const [held, other] = [uniqueEmail(), uniqueEmail()]
  await guess(1, held, STRANGER)
  await guess(1, other, STRANGER)
  await elapse(sql, '1 day')
  await sql.begin(async (transaction) => {
    await transaction`select from postern.throttle_counts where email = ${held} for update`
    t.equal(await sweepThrottle(app.db), 1)
  })
  t.match([...(await sql`select email from postern.throttle_counts`)], [{ email: held }])
})

t.test('a user who is deleted takes his known addresses along', async (t) => {
  const { sql, signup } = await createThrottleApp(t)
  const { userId } = await signup(HOME)
  await sql`delete from postern.users where id = ${userId}`
  t.strictSame([...(await sql`select * from postern.known_addresses`)], [])
})

t.test('while the database is away a login is 503, and no password is hashed', async (t) => {
  const direct = await createThrottleApp(t)
  const { email } = await direct.signup(HOME)
  const relay = await createRelay(t, direct.config.databaseUrl ?? '')
  const { app, login } = await createThrottleApp(t, { config: { ...direct.config, databaseUrl: relay.url() } })
  relay.refuse(true)
  const { status, body, headers } = await login(email, HOME, password)
  t.equal(status, 503)
  t.equal(body.code, 'unavailable')
  t.ok(Number(headers['retry-after']) >= 1)
  t.equal(app.passwords.stats().hashes, 0)
  relay.refuse(false)
  await t.resolves(untilStatus(200, () => login(email, HOME, password)))
  t.strictSame(await direct.guess(2, email, HOME), times(2, 401), 'and nothing of it has been counted')
})

async function untilStatus(wanted: number, ask: () => Promise<{ status: number }>): Promise<void> {
  for (let tries = 0; (await ask()).status !== wanted; tries += 1) {
    if (tries > 200) throw new Error(`it never was ${wanted}`)
  }
}
