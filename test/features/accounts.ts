import t from 'tap'
import { createApp, newUser, password, uniqueEmail } from '../fixtures/app.js'

t.test('signup answers 201 with a token answer and nothing else', async (t) => {
  const { http } = await createApp(t)
  const email = uniqueEmail()
  const { status, body, headers } = await http('POST', '/auth/signup', { body: { email, password } })
  t.equal(status, 201)
  t.strictSame(Object.keys(body).sort(), [
    'email',
    'expires_in',
    'refresh_expires_in',
    'refresh_token',
    'token',
    'token_type',
    'user_id'
  ])
  t.match(body, {
    email,
    token_type: 'Bearer',
    expires_in: 86_400,
    refresh_expires_in: 604_800,
    refresh_token: /^prt_/
  })
  t.equal(headers['cache-control'], 'no-store')
})

t.test('signup writes user, session and event in one transaction', async (t) => {
  const { http, sql } = await createApp(t)
  const user = await newUser(http)
  const [row] =
    await sql`select u.id, u.password_hash, u.role, u.last_login is not null as seen, s.id as session_id, e.event_type, e.success
    from postern.users u join postern.sessions s on s.user_id = u.id join postern.auth_events e on e.session_id = s.id
    where u.id = ${user.user_id}`
  t.match(row, { role: 'user', seen: true, event_type: 'signup', success: true, password_hash: /^\$2b\$04\$/ })
})

t.test('a signup whose event cannot be written leaves nothing behind and answers 503', async (t) => {
  const { http, sql } = await createApp(t)
  await sql`alter table postern.auth_events add constraint no_more check (event_type <> 'signup')`
  const { status } = await http('POST', '/auth/signup', { body: { email: uniqueEmail(), password } })
  t.equal(status, 503)
  const [count] =
    await sql`select (select count(*) from postern.users)::int as users, (select count(*) from postern.sessions)::int as sessions`
  t.strictSame({ ...count }, { users: 0, sessions: 0 })
})

t.test('a taken email is 409 in every spelling, after the same number of hashes as a fresh one', async (t) => {
  const { http, app } = await createApp(t)
  const user = await newUser(http)
  for (const email of [user.email, user.email.toUpperCase()]) {
    const before = app.passwords.stats().hashes
    const { status, body } = await http('POST', '/auth/signup', { body: { email, password } })
    t.equal(status, 409)
    t.equal(body.code, 'email_taken')
    t.equal(app.passwords.stats().hashes - before, 1)
  }
})

t.test('every spelling of a domain is one account, and every plus-tag and dot is another', async (t) => {
  const { http, sql } = await createApp(t, {
    config: { rateLimits: { login: undefined, signup: undefined, refresh: undefined } }
  })
  const signup = (email: string) => http('POST', '/auth/signup', { body: { email, password } })
  const { status, body } = await signup('Ada.Lovelace@Bücher.example')
  t.equal(status, 201)
  t.equal(body.email, 'ada.lovelace@xn--bcher-kva.example')
  for (const domain of ['bu\u0308cher.example', 'XN--BCHER-KVA.example', 'bücher。example']) {
    t.equal((await signup(`ada.lovelace@${domain}`)).body.code, 'email_taken', domain)
    const login = await http('POST', '/auth/login', { body: { email: `ADA.lovelace@${domain}`, password } })
    t.equal(login.body.user_id, body.user_id)
  }
  for (const local of ['ada.lovelace+news', 'adalovelace', 'ada.love.lace']) {
    t.equal((await signup(`${local}@bücher.example`)).status, 201, local)
  }
  const emails = await sql`select distinct email from postern.auth_events where email is not null`
  t.equal(emails.length, 4, 'and the trail knows no other form')
})

t.test('an email that only looks like one is refused, and does not reach the trail', async (t) => {
  const { http, sql } = await createApp(t, {
    config: { rateLimits: { login: undefined, signup: undefined, refresh: undefined } }
  })
  const odd = ['ada＠example.com', 'аda@example.com', '"ada"@example.com', 'ada@[127.0.0.1]', ' ada@example.com', 'ada']
  for (const email of [...odd, 'ada@example.com.', 'ada@xn--a.com', `${'a'.repeat(65)}@example.com`, '']) {
    for (const path of ['/auth/signup', '/auth/login']) {
      const { status, body } = await http('POST', path, { body: { email, password } })
      t.equal(status, 400)
      t.match(body, { code: 'invalid_request', errors: [{ field: 'email', code: 'invalid_email' }] })
      t.equal(body.errors.length, 1)
    }
  }
  const rows = await sql`select email from postern.auth_events where failure_reason = 'invalid_request'`
  t.ok(rows.length > 0)
  t.ok(rows.every(({ email }) => email === null))
})

t.test('exactly one of many parallel signups of one email wins', async (t) => {
  const { http, sql } = await createApp(t, {
    config: { rateLimits: { login: undefined, signup: undefined, refresh: undefined } }
  })
  for (let round = 0; round < 20; round += 1) {
    const email = uniqueEmail()
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => http('POST', '/auth/signup', { body: { email, password } }))
    )
    t.strictSame(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409, 409, 409])
  }
  const [count] = await sql`select count(*)::int as users from postern.users`
  t.equal(count?.users, 20)
})

t.test('unknown email, wrong password and inactive account get the same bytes after the same work', async (t) => {
  const { http, sql, app } = await createApp(t)
  const known = await newUser(http)
  const inactive = await newUser(http)
  await sql`update postern.users set is_active = false where id = ${inactive.user_id}`
  const answers = []
  for (const credentials of [
    { email: uniqueEmail(), password },
    { email: known.email, password: 'Wrong1horse' },
    { email: inactive.email, password }
  ]) {
    const before = app.passwords.stats().hashes
    const { status, headers, body } = await http('POST', '/auth/login', {
      body: credentials,
      headers: { 'x-request-id': 'the-same-for-all' }
    })
    const { date, ratelimit, 'ratelimit-policy': policy, ...rest } = headers
    answers.push({ status, body, rest, hashes: app.passwords.stats().hashes - before })
  }
  t.equal(answers[0]?.status, 401)
  t.equal(answers[0]?.hashes, 1)
  t.equal(answers[0]?.body.code, 'invalid_credentials')
  t.equal(answers[0]?.rest['www-authenticate'], 'Bearer realm="postern"')
  t.strictSame(answers[1], answers[0])
  t.strictSame(answers[2], answers[0])
  const reasons =
    await sql`select failure_reason from postern.auth_events where event_type = 'login' order by created_at`
  t.strictSame(
    reasons.map((row) => row.failure_reason),
    ['unknown_email', 'wrong_password', 'inactive_account']
  )
})

t.test(
  'login sets last_login, and answers for every spelling of the email that has the same canonical form',
  async (t) => {
    const { http, sql } = await createApp(t)
    const user = await newUser(http)
    await sql`update postern.users set last_login = null`
    const { status, body } = await http('POST', '/auth/login', { body: { email: user.email.toUpperCase(), password } })
    t.equal(status, 200)
    t.match(body, { user_id: user.user_id, email: user.email })
    t.not(body.token, user.token)
    const [row] = await sql`select last_login from postern.users`
    t.ok(row?.last_login)
  }
)

t.test('a login re-hashes when the configured cost is higher than the stored one', async (t) => {
  const { http, sql, config } = await createApp(t)
  const user = await newUser(http)
  const stronger = await createApp(t, { config: { ...config, bcryptCost: 5 } })
  t.equal((await stronger.http('POST', '/auth/login', { body: { email: user.email, password } })).status, 200)
  const [row] = await sql`select password_hash from postern.users where id = ${user.user_id}`
  t.match(row?.password_hash, /^\$2b\$05\$/)
  t.equal((await stronger.http('POST', '/auth/login', { body: { email: user.email, password } })).status, 200)
  const events = await sql`select success from postern.auth_events where event_type = 'password_rehashed'`
  t.equal(events.length, 1)
})

t.test('an account that is switched off while its password is checked is not let in', async (t) => {
  const { http, sql, app } = await createApp(t)
  const user = await newUser(http)
  const verify = app.passwords.verify
  app.passwords.verify = async (...args: Parameters<typeof verify>) => {
    const matches = await verify(...args)
    await sql`update postern.users set is_active = false`
    return matches
  }
  const { status, body } = await http('POST', '/auth/login', { body: { email: user.email, password } })
  t.equal(status, 401)
  t.equal(body.code, 'invalid_credentials')
})

t.test('all faults of a signup are told at once, and never the rejected value', async (t) => {
  const { http } = await createApp(t)
  const { status, body, raw } = await http('POST', '/auth/signup', {
    body: { email: 'nobody@nowhere', password: 'canary' }
  })
  t.equal(status, 400)
  t.equal(body.code, 'invalid_request')
  t.same(new Set(body.errors.map((fault: { field: string }) => fault.field)), new Set(['email', 'password']))
  t.notMatch(raw, /canary|nowhere/)
})

t.test('a password that breaks only the policy is weak_password, with each rule that it breaks', async (t) => {
  const { http, sql } = await createApp(t)
  const { status, body } = await http('POST', '/auth/signup', { body: { email: 'ada@example.com', password: 'abc' } })
  t.equal(status, 400)
  t.equal(body.code, 'weak_password')
  t.same(
    new Set(body.errors.map((fault: { code: string }) => fault.code)),
    new Set(['too_short', 'missing_upper', 'missing_digit'])
  )
  const [event] =
    await sql`select event_type, failure_reason, email from postern.auth_events where event_type = 'signup'`
  t.match(event, { failure_reason: 'weak_password', email: 'ada@example.com' })
})

t.test('a password of more than 1024 bytes is 400 without a hash, for known and unknown emails alike', async (t) => {
  const { http, app } = await createApp(t)
  const user = await newUser(http)
  const long = `Aa1${'x'.repeat(1022)}`
  const before = app.passwords.stats().hashes
  for (const [path, email] of [
    ['/auth/signup', uniqueEmail()],
    ['/auth/login', uniqueEmail()],
    ['/auth/login', user.email]
  ] as const) {
    const { status, body } = await http('POST', path, { body: { email, password: long } })
    t.equal(status, 400)
    t.match(body, { code: 'invalid_request', errors: [{ field: 'password', code: 'too_long', max: 1024 }] })
  }
  t.equal(app.passwords.stats().hashes, before)
})

t.test('fields that a client must not write are refused, not ignored', async (t) => {
  const { http } = await createApp(t, {
    config: { rateLimits: { login: undefined, signup: undefined, refresh: undefined } }
  })
  for (const field of [
    'role',
    'is_active',
    'is_admin',
    'email_verified',
    'id',
    'created_at',
    'password_hash',
    'user_id'
  ]) {
    const { status, body } = await http('POST', '/auth/signup', {
      body: { email: uniqueEmail(), password, [field]: 'admin' }
    })
    t.equal(status, 400)
    t.match(body, { code: 'invalid_request', errors: [{ field }] })
  }
})

t.test('the password hash is in no answer and no event', async (t) => {
  const { http, sql } = await createApp(t)
  const user = await newUser(http)
  const [row] = await sql`select password_hash from postern.users`
  const me = await http('GET', '/auth/me', { token: user.token })
  t.notMatch(me.raw, row?.password_hash)
  t.strictSame(Object.keys(me.body), ['user_id', 'email', 'is_active', 'created_at', 'last_login'])
  const events = await sql`select to_jsonb(e)::text as text from postern.auth_events e`
  t.notMatch(events.map((event) => event.text).join(), /\$2b\$/)
})

t.test('settings tell a form what it needs to know', async (t) => {
  const { http } = await createApp(t)
  const { status, body } = await http('GET', '/auth/settings')
  t.equal(status, 200)
  t.match(body, {
    password: { policy: 'classic', min_length: 8, max_bytes: 1024, require_upper: true },
    lifetimes: { access_token: 86_400, refresh_token: 604_800, session: 2_592_000 }
  })
})

t.test('the values of a body are judged although a field does not belong there', async (t) => {
  const { http } = await createApp(t)
  const signup = await http('POST', '/auth/signup', { body: { email: 'nobody@nowhere', password: 'x', role: 1 } })
  t.equal(signup.body.code, 'invalid_request')
  t.same(
    new Set(signup.body.errors.map(({ field, code }: { field: string; code: string }) => `${field} ${code}`)),
    new Set([
      'role unknown_field',
      'email invalid_email',
      'password too_short',
      'password missing_upper',
      'password missing_digit'
    ])
  )
  const login = await http('POST', '/auth/login', { body: { email: 'nobody@nowhere', password: 7 } })
  t.same(
    new Set(login.body.errors.map(({ field, code }: { field: string; code: string }) => `${field} ${code}`)),
    new Set(['email invalid_email', 'password wrong_type'])
  )
})
