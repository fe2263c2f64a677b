import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ApiError } from '../../src/errors.js'
import { password, uniqueEmail } from '../fixtures/app.js'
import { client } from '../fixtures/sessions.js'
import { config, createThrottleApp, elapse, times, wrong } from '../fixtures/throttle.js'

const HOME = '192.0.2.1'
const STRANGER = '198.51.100.7'

const app = await createThrottleApp(t)
const { sql, login, guess, signup } = app
const { throttle, passwords, accounts } = app.app

const stranger = { ...client, addressKey: STRANGER }
const sorted = (statuses: number[]) => statuses.toSorted((a, b) => a - b)
const statusOf = async (answer: ReturnType<typeof login>) => (await answer).status

async function failuresOf(email: string): Promise<number> {
  const [row] = await sql`select failures from postern.throttle_counts where email = ${email}`
  return row?.failures ?? 0
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries += 1) {
    if (tries > 2000) throw new Error('it did not come true')
    await sleep(5)
  }
}

t.test('of a hundred parallel guesses on two instances exactly 10 are hashed', async (t) => {
  const other = await createThrottleApp(t, { config: app.config })
  const { email } = await signup(HOME)
  for (const target of [email, uniqueEmail()]) {
    const before = passwords.stats().hashes + other.app.passwords.stats().hashes
    const guesses = Array.from({ length: 100 }, (_, n) =>
      statusOf((n % 2 === 0 ? app : other).login(target, `198.51.100.${n}`))
    )
    t.strictSame(sorted(await Promise.all(guesses)), [...times(10, 401), ...times(90, 429)])
    t.equal(passwords.stats().hashes + other.app.passwords.stats().hashes - before, 10)
  }
})

t.test('after a wait exactly one of many parallel guesses is hashed', async (t) => {
  const { email } = await signup(HOME)
  await guess(10, email, STRANGER)
  for (const wait of ['30 seconds', '60 seconds']) {
    await elapse(sql, wait)
    const guesses = Array.from({ length: 20 }, () => statusOf(login(email, STRANGER)))
    t.strictSame(sorted(await Promise.all(guesses)), [401, ...times(19, 429)])
  }
})

t.test('an attempt is counted before its password is looked at', async (t) => {
  const email = uniqueEmail()
  await throttle.attempt(client, email, async () => {
    t.equal(await failuresOf(email), 1)
  })
})

t.test('parallel logins with the right password leave no wait behind', async (t) => {
  const { email } = await signup(HOME)
  const logins = Array.from({ length: 30 }, () => statusOf(login(email, HOME, password)))
  const statuses = await Promise.all(logins)
  t.ok(statuses.filter((status) => status === 200).length >= 10)
  t.ok(statuses.every((status) => status === 200 || status === 429))
  t.equal(await failuresOf(email), 0)
  t.equal((await login(email, HOME, password)).status, 200)
})

t.test('an attempt that was shed is no failure', async (t) => {
  const busy = await createThrottleApp(t, {
    config: { ...app.config, hashConcurrency: 1, hashQueueSeconds: 0.0001 }
  })
  const { email } = await signup(HOME)
  await guess(9, email, STRANGER)
  let isOver = false
  const hashing = [1, 2].map(async () => {
    while (!isOver) await busy.app.passwords.hash(password)
  })
  const before = sql`select failures, throttled_until from postern.throttle_counts where email = ${email}`
  t.match([...(await before)], [{ failures: 9, throttled_until: null }])
  t.strictSame(await busy.guess(12, email, STRANGER), times(12, 503))
  isOver = true
  await Promise.all(hashing)
  const after = await sql`select failures, throttled_until from postern.throttle_counts where email = ${email}`
  t.match([...after], [{ failures: 9, throttled_until: null }], 'and the wait that the tenth had begun is lifted')
  t.strictSame(await guess(2, email, STRANGER), [401, 429])
})

t.test('an attempt that was over the limit of its address is no failure', async (t) => {
  const limited = await createThrottleApp(t, {
    config: { ...config, rateLimits: { ...config.rateLimits, login: { max: 5, windowSeconds: 60 } } }
  })
  const { email } = await limited.signup(HOME)
  t.strictSame(await limited.guess(30, email, STRANGER), [...times(5, 401), ...times(25, 429)])
  t.strictSame(await limited.guess(5, email, '198.51.100.8'), times(5, 401))
  const { body } = await limited.login(email, '198.51.100.9')
  t.equal(body.code, 'account_throttled')
})

t.test('what is given back is never taken from failures that came after a success', async (t) => {
  const { email, userId } = await signup(HOME)
  let shed = () => {}
  const waiting = throttle.attempt(
    stranger,
    email,
    () =>
      new Promise((_, reject) => {
        shed = () => reject(new ApiError('overloaded'))
      })
  )
  while ((await failuresOf(email)) === 0) await sleep(5)
  await throttle.attempt({ ...client, addressKey: '198.51.100.9' }, email, (succeeded) => succeeded(app.app.db, userId))
  t.equal(await failuresOf(email), 0)
  await guess(2, email, '198.51.100.8')
  shed()
  await t.rejects(waiting, { code: 'overloaded' })
  t.equal(await failuresOf(email), 2)
})

t.test('of a client that hangs up, what was hashed counts and what waited does not', async (t) => {
  const slow = await createThrottleApp(t, {
    config: { ...app.config, bcryptCost: 10, hashConcurrency: 1, hashQueueSeconds: 60 }
  })
  const asked = () => slow.app.passwords.stats().hashes + slow.app.passwords.stats().waiting
  const [hashed, queued] = [uniqueEmail(), uniqueEmail()]
  async function leave(email: string, once: () => boolean): Promise<string> {
    const gone = new AbortController()
    const attempt = slow.app.accounts.login(client, { email, password: wrong }, gone.signal)
    const code = attempt.then(
      () => 'none',
      (error) => error.code
    )
    await until(once)
    gone.abort()
    return await code
  }
  t.equal(await leave(hashed, () => slow.app.passwords.stats().hashes === 1), 'invalid_credentials')
  t.equal(await failuresOf(hashed), 1)
  const ahead = Promise.all(Array.from({ length: 20 }, () => slow.app.passwords.hash(password)))
  t.equal(await leave(queued, () => asked() === 22), 'request_timeout')
  t.equal(await failuresOf(queued), 0)
  const rows = await sql`select failures from postern.throttle_counts where email = ${queued}`
  t.equal(rows.length, 1, 'it was counted, and given back')
  await ahead
})

t.test('a login whose event cannot be written resets nothing', async (t) => {
  const own = await createThrottleApp(t)
  const { email } = await own.signup(HOME)
  await own.guess(9, email, HOME)
  await own.sql`alter table postern.auth_events add constraint no_more check (event_type <> 'login' or not success)`
  t.strictSame(await own.guess(2, email, HOME, password), [503, 429])
})

t.test('a right password that needs a second look is one attempt', async (t) => {
  const { email } = await signup(HOME)
  const stronger = await createThrottleApp(t, { config: { ...app.config, bcryptCost: 5 } })
  const logins = Array.from({ length: 10 }, () => statusOf(stronger.login(email, HOME, password)))
  t.strictSame(await Promise.all(logins), times(10, 200))
  t.equal(await failuresOf(email), 0)
})

t.test('an attempt that cannot be counted is refused without a hash', async (t) => {
  const own = await createThrottleApp(t)
  const { email } = await own.signup(HOME)
  const before = own.app.passwords.stats().hashes
  await own.sql`alter table postern.throttle_counts rename to gone`
  t.equal((await own.login(email, HOME, password)).status, 500)
  t.equal(own.app.passwords.stats().hashes, before)
})

t.test('every way to check a password goes through the count', async (t) => {
  const { email } = await signup(HOME)
  await guess(10, email, STRANGER)
  const direct = accounts.login(stranger, { email, password }, new AbortController().signal)
  await t.rejects(direct, { code: 'account_throttled' })
})
