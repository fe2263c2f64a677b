import t from 'tap'
import { createAdminApp, trail } from '../fixtures/admin.js'
import { newUser, password } from '../fixtures/app.js'

const NDJSON = { accept: 'application/x-ndjson' }
const CSV = { accept: 'text/csv' }
const EMAIL = 'canary@people.example.com'
const UNKNOWN = 'canary-nobody@people.example.com'

/** A user with that email, twenty failures of theirs, and as many of nobody. */
async function withHistory(app: Awaited<ReturnType<typeof createAdminApp>>): Promise<string> {
  const { body } = await app.http('POST', '/auth/signup', { body: { email: EMAIL, password } })
  await app.call('PATCH', `/users/${body.user_id}`, { body: { role: 'admin' } })
  await app.sql`insert into postern.auth_events (id, event_type, user_id, email, ip_address, success, failure_reason)
    select gen_random_uuid(), 'login', ${body.user_id}::uuid, ${EMAIL}, '203.0.113.1'::inet + n, false, 'wrong_password'
    from generate_series(1, 24) as n
    union all select gen_random_uuid(), 'login', null, ${UNKNOWN}, '203.0.113.1'::inet + n % 12, false, 'unknown_email'
    from generate_series(1, 40) as n`
  return body.user_id
}

t.test('with emails=masked no answer of the admin interface has a whole email', async (t) => {
  const app = await createAdminApp(t)
  const id = await withHistory(app)
  const asked: [string, string, { body?: object; headers?: Record<string, string> }?][] = [
    ['GET', '/users?emails=masked'],
    ['GET', `/users?emails=masked&query=${EMAIL}`],
    ['GET', `/users/${id}?emails=masked`],
    ['PATCH', `/users/${id}?emails=masked`, { body: { role: 'user' } }],
    ['GET', '/events?emails=masked&limit=100'],
    ['GET', '/events?emails=masked', { headers: NDJSON }],
    ['GET', '/events?emails=masked', { headers: CSV }],
    ['GET', '/insights?emails=masked']
  ]
  for (const [method, path, request] of asked) {
    const answer = await app.call(method, path, request)
    t.equal(answer.status, 200, path)
    t.match(answer.raw, 'c••@people.example.com', path)
    t.notMatch(answer.raw, /canary|user-[0-9a-f]+@/, path)
    if (method === 'PATCH') continue
    t.match((await app.call(method, path.replace('masked', 'shown'), request)).raw, EMAIL, path)
    t.match((await app.call(method, path.replace('emails=masked', ''), request)).raw, EMAIL, path)
  }
  t.match(await app.call('GET', '/users?emails=some'), { status: 400, body: { code: 'invalid_request' } })
})

t.test('what is behind a hidden email is found by its ref, which is in no answer that shows emails', async (t) => {
  const app = await createAdminApp(t)
  await withHistory(app)
  const { insights } = (await app.call('GET', '/insights?emails=masked')).body
  const finding = insights.find(({ pattern }: { pattern: string }) => pattern === 'many_addresses')
  t.match(finding, { subject: 'c••@people.example.com', events: { email: /^ref_/ } })
  const count = async (query: Record<string, string>) =>
    (await app.call('GET', `/events?${new URLSearchParams({ limit: '100', ...query })}`)).body.events.length
  const byEmail = await count({ email: EMAIL, success: 'false' })
  t.equal(byEmail, 24)
  const found = await Promise.all(
    insights.map(async ({ events }: { events: Record<string, string> }) => (events.email ? await count(events) : 0))
  )
  t.strictSame(found.filter((n) => n > 0).sort(), [24, 40])
  for (const { evidence } of insights) {
    for (const { email, email_ref } of evidence.top_accounts) {
      t.match({ email, email_ref }, { email: /^c••@/, email_ref: /^ref_/ })
      t.ok((await count({ email: email_ref })) > 0)
    }
  }
  const masked = (await app.call('GET', '/events?emails=masked&reason=unknown_email')).body.events
  t.equal(await count({ email: masked[0].email_ref }), 40)
  t.notMatch((await app.call('GET', '/events')).raw, 'email_ref')
  t.notMatch((await app.call('GET', '/insights')).raw, 'email_ref')
  t.match(await app.call('GET', '/events?email=ref_v1.AAAA'), { status: 400, body: { errors: [{ field: 'email' }] } })
})

t.test('the trail says of each call whether emails were shown', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  await app.call('GET', '/users?emails=masked&limit=5')
  await app.call('GET', `/users/${user.user_id}?emails=shown`)
  await app.call('GET', '/events')
  t.strictSame(
    (await trail(app)).map(({ details }) => details),
    [
      { action: 'users.list', filters: ['limit'], emails: 'masked' },
      { action: 'users.get', target_user_id: user.user_id, emails: 'shown' },
      { action: 'events.list' }
    ]
  )
})
