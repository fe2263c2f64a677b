import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { createApp, newUser, password, uniqueEmail } from '../fixtures/app.js'

const rateLimits = { login: undefined, signup: undefined, refresh: undefined }
const wrong = 'Wrong1horse'

/** For the tests that need no settings of their own. */
const shared = await createApp(t, { config: { rateLimits } })

/** Until the function it returns is called, one password is being hashed and one waits, at every moment. */
function keepBusy({ passwords }: FastifyInstance): () => Promise<void> {
  let isOver = false
  const hashing = [1, 2].map(async () => {
    while (!isOver) await passwords.hash(password)
  })
  return async () => {
    isOver = true
    await Promise.all(hashing)
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; !isTrue(); tries += 1) {
    if (tries > 2000) throw new Error('it did not come true')
    await sleep(5)
  }
}

t.test('a shed login or signup is 503 overloaded with its event, without a hash', async (t) => {
  const { http, sql, app } = await createApp(t, {
    config: { rateLimits, hashConcurrency: 1, hashQueueSeconds: 0.0001 }
  })
  const user = await newUser(http)
  const fresh = uniqueEmail()
  const stop = keepBusy(app)
  const attempts = [
    { path: '/auth/login', email: user.email },
    { path: '/auth/login', email: uniqueEmail() },
    { path: '/auth/signup', email: fresh }
  ]
  for (const { path, email } of attempts) {
    const { status, body, headers } = await http('POST', path, { body: { email, password } })
    t.equal(status, 503)
    t.equal(body.code, 'overloaded')
    t.ok(Number(headers['retry-after']) >= 1)
  }
  await stop()
  await app.events.flush()
  const shed = await sql`select event_type, user_id, email, success, details from postern.auth_events
    where failure_reason = 'overloaded' order by event_type, user_id`
  t.match(shed, [
    { event_type: 'login', user_id: user.user_id, email: user.email, success: false, details: { count: 1 } },
    { event_type: 'login', details: { count: 1 } },
    { event_type: 'signup', user_id: null, email: fresh, success: false, details: { count: 1 } }
  ])
  const [row] = await sql`select count(*)::int as users from postern.users`
  t.equal(row?.users, 1)
  t.equal((await http('POST', '/auth/signup', { body: { email: fresh, password } })).status, 201, 'later it is taken')
})

t.test('a shed event that cannot be written is still a refusal', async (t) => {
  const { http, sql, app } = await createApp(t, { config: { hashConcurrency: 1, hashQueueSeconds: 0.0001 } })
  await sql`alter table postern.auth_events add constraint no_more check (failure_reason <> 'overloaded')`
  const stop = keepBusy(app)
  const { status, body } = await http('POST', '/auth/login', { body: { email: uniqueEmail(), password } })
  await stop()
  t.equal(status, 503)
  t.equal(body.code, 'unavailable')
})

t.test('refresh, me and logout never wait behind logins', async (t) => {
  const { http, app } = await createApp(t, {
    config: { rateLimits, bcryptCost: 10, hashConcurrency: 1, hashQueueSeconds: 60 }
  })
  const user = await newUser(http)
  const logins = Array.from({ length: 12 }, () =>
    http('POST', '/auth/login', { body: { email: uniqueEmail(), password: wrong } })
  )
  await until(() => app.passwords.stats().waiting >= 8)
  const before = app.passwords.stats().hashes
  t.equal((await http('GET', '/auth/me', { token: user.token })).status, 200)
  const refreshed = await http('POST', '/auth/refresh', { body: { refresh_token: user.refresh_token } })
  t.equal(refreshed.status, 200)
  t.equal((await http('POST', '/auth/logout', { token: refreshed.body.token })).status, 200)
  const { waiting, hashes } = app.passwords.stats()
  t.ok(waiting > 0, `${waiting} logins still wait, after ${hashes - before} hashes`)
  for (const { status } of await Promise.all(logins)) t.equal(status, 401)
})

t.test('nobody is hashed for who has hung up', async (t) => {
  const { app, sql } = await createApp(t, { config: { rateLimits, bcryptCost: 10, hashConcurrency: 1 } })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const ahead = Promise.all(Array.from({ length: 8 }, () => app.passwords.hash(password)))
  const leaving = ['login', 'signup'].map((path) => post(t, port, `/auth/${path}`))
  const closed = leaving.map((socket) => once(socket, 'close'))
  const { passwords } = app
  const asked = () => passwords.stats().hashes + passwords.stats().waiting
  await until(() => asked() === 10)
  for (const socket of leaving) socket.destroy()
  await Promise.all(closed)
  await until(() => asked() === 8)
  await ahead
  await until(() => passwords.stats().running === 0)
  t.equal(passwords.stats().hashes, 8)
  const [row] = await sql`select (select count(*) from postern.users)::int as users,
    (select count(*) from postern.auth_events where event_type in ('login', 'signup'))::int as events`
  t.strictSame({ ...row }, { users: 0, events: 0 }, 'and what did not take place is not in the trail')
})

function post(t: Test, port: number, path: string): Socket {
  const body = JSON.stringify({ email: uniqueEmail(), password })
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  )
  return socket
}

t.test('a client that waits for its answer is not taken for one that has left', async (t) => {
  const { app } = await createApp(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = post(t, (app.server.address() as AddressInfo).port, '/auth/signup')
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1\.1 201 /)
})

t.test('a refusal costs the same whatever the cost of the stored hash and the length of the password', async (t) => {
  const weak = shared
  const long = `${password}${'x'.repeat(100)}`
  const known = await newUser(weak.http)
  const knownLong = uniqueEmail()
  await weak.http('POST', '/auth/signup', { body: { email: knownLong, password: long } })
  const { http, app, sql } = await createApp(t, { config: { ...weak.config, bcryptCost: 7 } })
  const unreadable = await newUser(weak.http)
  await sql`update postern.users set password_hash = 'imported in error' where id = ${unreadable.user_id}`
  for (const email of [uniqueEmail(), known.email, knownLong, unreadable.email]) {
    for (const typed of [wrong, `${long}y`]) {
      const before = app.passwords.stats().rounds
      const { status, body } = await http('POST', '/auth/login', { body: { email, password: typed } })
      t.equal(status, 401)
      t.equal(body.code, 'invalid_credentials')
      t.equal(app.passwords.stats().rounds - before, 2 ** 7)
    }
  }
})

t.test('a taken email costs the same as a fresh one, long password or short', async (t) => {
  const { http, app } = shared
  const user = await newUser(http)
  for (const typed of [password, `${password}${'x'.repeat(100)}`]) {
    const costs = []
    for (const email of [user.email, uniqueEmail()]) {
      const before = app.passwords.stats().rounds
      await http('POST', '/auth/signup', { body: { email, password: typed } })
      costs.push(app.passwords.stats().rounds - before)
    }
    t.strictSame(costs, [2 ** 4, 2 ** 4])
  }
})

t.test('a long password counts to its last byte, from signup to login', async (t) => {
  const { http, sql } = shared
  const email = uniqueEmail()
  const long = `Aa1 ${'漢'.repeat(60)}`
  t.equal((await http('POST', '/auth/signup', { body: { email, password: long } })).status, 201)
  const [row] = await sql`select password_hash from postern.users where email = ${email}`
  t.match(row?.password_hash, /^\$bcrypt-sha256\$v=2,t=2b,r=4\$/)
  t.equal((await http('POST', '/auth/login', { body: { email, password: long } })).status, 200)
  for (const other of [long.slice(0, -1), `${long}x`, `${long.slice(0, -1)}字`, long.slice(0, 24)]) {
    t.equal((await http('POST', '/auth/login', { body: { email, password: other } })).status, 401)
  }
})

t.test('a password is the same however it is composed, and nothing of it is trimmed', async (t) => {
  const { http } = shared
  const email = uniqueEmail()
  t.equal((await http('POST', '/auth/signup', { body: { email, password: ' Zoe\u0301-ﬁsh-1 ' } })).status, 201)
  const login = async (typed: string) =>
    (await http('POST', '/auth/login', { body: { email, password: typed } })).status
  t.equal(await login(' Zo\u00e9-fish-1 '), 200)
  for (const typed of ['Zo\u00e9-fish-1', ' Zoe-fish-1 ', ' zo\u00e9-fish-1 ']) t.equal(await login(typed), 401, typed)
})

t.test('parallel logins that all re-hash are all let in, and one of them replaces the hash', async (t) => {
  const { http, sql, config } = shared
  const user = await newUser(http)
  const stronger = await createApp(t, { config: { ...config, bcryptCost: 6 } })
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => stronger.http('POST', '/auth/login', { body: { email: user.email, password } }))
  )
  t.strictSame(
    answers.map(({ status }) => status),
    Array(8).fill(200)
  )
  const events = await sql`select event_type, success, count(*)::int from postern.auth_events
    where email = ${user.email} and event_type <> 'signup' group by 1, 2 order by 1`
  t.match(events, [
    { event_type: 'login', success: true, count: 8 },
    { event_type: 'password_rehashed', success: true, count: 1 }
  ])
  t.equal(events.length, 2)
})

t.test('a login whose re-hash is shed is still a login, and the next one re-hashes', async (t) => {
  const { http, sql, config } = shared
  const user = await newUser(http)
  const stronger = await createApp(t, {
    config: { ...config, bcryptCost: 6, hashConcurrency: 1, hashQueueSeconds: 0.0001 }
  })
  const { passwords } = stronger.app
  const { verify } = passwords
  let stop = async () => {}
  passwords.verify = async (...args: Parameters<typeof verify>) => {
    const matches = await verify(...args)
    stop = keepBusy(stronger.app)
    return matches
  }
  const login = () => stronger.http('POST', '/auth/login', { body: { email: user.email, password } })
  const stored = async () =>
    (await sql`select password_hash from postern.users where id = ${user.user_id}`)[0]?.password_hash
  t.equal((await login()).status, 200)
  await stop()
  t.match(await stored(), /^\$2b\$04\$/)
  passwords.verify = verify
  t.equal((await login()).status, 200)
  t.match(await stored(), /^\$2b\$06\$/)
})

t.test('a password that was changed while the old one was checked does not let the old one in', async (t) => {
  const { http, sql, app } = shared
  const user = await newUser(http)
  const changed = await app.passwords.hash('Another1horse')
  const { verify } = app.passwords
  app.passwords.verify = async (...args: Parameters<typeof verify>) => {
    const matches = await verify(...args)
    await sql`update postern.users set password_hash = ${changed} where id = ${user.user_id}`
    return matches
  }
  t.equal((await http('POST', '/auth/login', { body: { email: user.email, password } })).status, 401)
  app.passwords.verify = verify
  const [event] = await sql`select failure_reason, user_id from postern.auth_events
    where event_type = 'login' and email = ${user.email}`
  t.match(event, { failure_reason: 'wrong_password', user_id: user.user_id })
  t.equal((await http('POST', '/auth/login', { body: { email: user.email, password: 'Another1horse' } })).status, 200)
})
