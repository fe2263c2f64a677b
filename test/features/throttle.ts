import t from 'tap'
import { password } from '../fixtures/app.js'
import { createThrottleApp, elapse, times, wrong } from '../fixtures/throttle.js'

const HOME = '192.0.2.1'
const STRANGER = '198.51.100.7'

/** Each account here is another one, so that one service will do. */
const app = await createThrottleApp(t)
const { sql, login, guess, signup } = app
const hashes = () => app.app.passwords.stats().hashes

t.test(
  'after 10 failures the account waits, known or not, for right and wrong passwords alike, before any hash',
  async (t) => {
    const { email: known } = await signup(HOME)
    const answers = []
    for (const email of [known, 'nobody@example.com']) {
      t.strictSame(await guess(10, email, STRANGER), times(10, 401))
      const before = hashes()
      for (const typed of [wrong, password]) {
        const { status, body, headers } = await login(email, STRANGER, typed)
        const { date, 'x-request-id': id, 'retry-after': after, ...rest } = headers
        const seconds = Number(after)
        t.ok(seconds > 25 && seconds <= 30, `${seconds} s`)
        answers.push({ status, headers: rest, body: { ...body, request_id: '' } })
      }
      t.equal(hashes(), before)
    }
    t.match(answers[0], { status: 429, body: { code: 'account_throttled' } })
    for (const answer of answers) t.strictSame(answer, answers[0])
  }
)

t.test('the email is counted in its canonical form', async (t) => {
  const { email } = await signup(HOME)
  for (let n = 0; n < 5; n += 1) {
    t.equal((await login(email, STRANGER)).status, 401)
    t.equal((await login(email.toUpperCase(), STRANGER)).status, 401)
  }
  t.equal((await login(email.replace('example', 'EXAMPLE'), STRANGER)).status, 429)
})

t.test('each further failure doubles the wait, up to an hour, and one attempt is let through after each', async (t) => {
  const { email } = await signup(HOME)
  await guess(10, email, STRANGER)
  const waits = []
  for (const expected of [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]) {
    const { status, headers } = await login(email, STRANGER)
    t.equal(status, 429)
    waits.push(expected - Number(headers['retry-after']))
    await elapse(sql, `${expected} seconds`)
    t.strictSame(await guess(2, email, STRANGER), [401, 429])
  }
  t.ok(
    waits.every((late) => late >= 0 && late < 10),
    waits.join()
  )
})

t.test('what is refused while the account waits neither counts nor prolongs the wait', async (t) => {
  const { email } = await signup(HOME)
  await guess(10, email, STRANGER)
  const read = () => sql`select failures, throttled_until from postern.throttle_counts where email = ${email}`
  const before = await read()
  t.strictSame(await guess(15, email, STRANGER), times(15, 429))
  t.strictSame(await read(), before)
})

t.test('a success resets the count that it went through', async (t) => {
  const { email } = await signup(HOME)
  for (const from of [HOME, HOME, STRANGER]) {
    t.strictSame(await guess(9, email, from), times(9, 401))
    t.equal((await login(email, from, password)).status, 200)
  }
  t.strictSame(await guess(11, email, STRANGER), [...times(10, 401), 429])
})

t.test('after the wait the right password is taken, and the next failure is the first again', async (t) => {
  const { email } = await signup(HOME)
  await guess(11, email, STRANGER)
  await elapse(sql, '30 seconds')
  t.equal((await login(email, STRANGER, password)).status, 200)
  t.strictSame(await guess(11, email, STRANGER), [...times(10, 401), 429])
})

t.test('a stranger cannot lock the owner out of an address where he signed up or signed in', async (t) => {
  const { email } = await signup(HOME)
  const office = '2001:db8:1:2::3'
  t.equal((await login(email, office, password)).status, 200)
  t.strictSame(await guess(11, email, STRANGER), [...times(10, 401), 429])
  for (const from of [HOME, office, '2001:db8:1:2:ffff::1']) t.equal((await login(email, from, password)).status, 200)
  t.equal((await login(email, STRANGER, password)).status, 429, 'which does not let the strangers go on')
  t.equal((await login(email, '2001:db8:1:3::3', password)).status, 429)
})

t.test("a known address has its own count, and its failures are not the strangers'", async (t) => {
  const { email } = await signup(HOME)
  t.strictSame(await guess(11, email, HOME), [...times(10, 401), 429])
  t.equal((await login(email, HOME, password)).status, 429)
  t.equal((await login(email, STRANGER)).status, 401)
})

t.test('an address is known for its own account only', async (t) => {
  const { email } = await signup(HOME)
  const other = await signup('192.0.2.99')
  await guess(10, email, STRANGER)
  t.equal((await login(email, '192.0.2.99', password)).status, 429)
  t.equal((await login(other.email, '192.0.2.99', password)).status, 200)
})

t.test('an address is known for 30 days after the last sign-in there', async (t) => {
  const { email } = await signup(HOME)
  await elapse(sql, '20 days')
  t.equal((await login(email, HOME, password)).status, 200)
  await elapse(sql, '29 days')
  await guess(10, email, STRANGER)
  t.equal((await login(email, HOME)).status, 401)
  await elapse(sql, '1 day')
  await guess(10, email, STRANGER)
  t.equal((await login(email, HOME, password)).status, 429)
})

t.test('strangers are one count, from however many addresses they come', async (t) => {
  const { email } = await signup(HOME)
  const before = hashes()
  const answers = []
  for (let n = 0; n < 300; n += 1) answers.push((await login(email, `198.51.${n >> 7}.${n & 127}`)).status)
  t.strictSame(answers, [...times(10, 401), ...times(290, 429)])
  t.equal(hashes() - before, 10)
})

t.test('failures are forgotten a day after the last one, and not before', async (t) => {
  const { email } = await signup(HOME)
  await guess(9, email, STRANGER)
  await elapse(sql, '23 hours')
  t.strictSame(await guess(2, email, STRANGER), [401, 429])
  await elapse(sql, '24 hours')
  t.strictSame(await guess(11, email, STRANGER), [...times(10, 401), 429])
})

t.test('guesses at nobody are forgotten when the account is made', async (t) => {
  const email = 'owner-1000@example.com'
  await guess(11, email, STRANGER)
  const headers = { 'x-forwarded-for': HOME }
  t.equal((await app.http('POST', '/auth/signup', { body: { email, password }, headers })).status, 201)
  t.equal((await login(email, STRANGER, password)).status, 200)
})

t.test(
  'an inactive account is throttled like any other, and a signup with its email is no way around it',
  async (t) => {
    const { email, userId } = await signup(HOME)
    await sql`update postern.users set is_active = false where id = ${userId}`
    t.strictSame(await guess(11, email, HOME, password), [...times(10, 401), 429])
    t.equal((await app.http('POST', '/auth/signup', { body: { email, password } })).status, 409)
    t.equal((await login(email, HOME, password)).status, 429)
  }
)

t.test('requests that are refused before a password is looked at are no failures', async (t) => {
  const { email } = await signup(HOME)
  for (let n = 0; n < 12; n += 1) {
    t.equal((await login(email, STRANGER, 'x'.repeat(1025))).status, 400)
    t.equal((await app.http('POST', '/auth/login', { body: { email } })).status, 400)
  }
  t.equal((await login(email, STRANGER, password)).status, 200)
})

t.test('a throttled attempt is an event of its own, that names the account where there is one', async (t) => {
  const { email, userId } = await signup(HOME)
  await guess(12, email, '203.0.113.1')
  await guess(11, 'nobody-else@example.com', '203.0.113.2')
  await app.app.events.flush()
  const rows = await sql`select event_type, user_id, email, success, failure_reason, details
    from postern.auth_events where event_type = 'account_throttled' and ip_address <<= '203.0.113.0/24' order by email desc`
  const common = { event_type: 'account_throttled', success: false, failure_reason: 'account_throttled' }
  t.match(
    [...rows],
    [
      { ...common, user_id: userId, email, details: { count: 1 } },
      { ...common, user_id: userId, email, details: { count: 1 } },
      { ...common, user_id: null, email: 'nobody-else@example.com', details: { count: 1 } }
    ]
  )
  t.equal(rows.length, 3)
})
