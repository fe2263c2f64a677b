import t from 'tap'
import { createApp, newUser, password, uniqueEmail } from '../fixtures/app.js'

type App = Awaited<ReturnType<typeof createApp>>
type User = Awaited<ReturnType<typeof newUser>>
/** What an answer must have left behind; null for nothing. */
type Expected = string | null
type Act = (n: number) => Promise<{ status: number; expected: Expected; wanted: number }>

const config = {
  trustProxy: ['loopback'],
  rateLimits: { login: { max: 5, windowSeconds: 60 }, signup: undefined, refresh: undefined }
}

/** Everything that a client can do, by the name of what it must leave behind. */
function acts({ http }: App, users: User[]): Act[] {
  const user = (n: number) => users[n % users.length] as User
  const other = (n: number) => users[(n + 1) % users.length] as User
  const from = (address: string) => ({ 'x-forwarded-for': address })
  let address = 0
  const fresh = () => {
    address += 1
    return from(`198.51.${address >> 8}.${address & 255}`)
  }
  const act =
    (wanted: number, expected: Expected, request: (n: number) => ReturnType<App['http']>): Act =>
    async (n) => ({ status: (await request(n)).status, expected, wanted })
  const login = (n: number, fields: object, headers = fresh()) =>
    http('POST', '/auth/login', { body: { email: user(n).email, password, ...fields }, headers })
  const [header = '', , signature = ''] = user(0).token.split('.')

  return [
    act(201, 'signup', () => http('POST', '/auth/signup', { body: { email: uniqueEmail(), password } })),
    act(409, 'signup email_taken', (n) => http('POST', '/auth/signup', { body: { email: user(n).email, password } })),
    act(400, 'signup weak_password', () =>
      http('POST', '/auth/signup', { body: { email: uniqueEmail(), password: 'x' } })
    ),
    act(400, 'signup invalid_request', () => http('POST', '/auth/signup', { body: { email: 'x' } })),
    act(200, 'login', (n) => login(n, {})),
    act(401, 'login wrong_password', (n) => login(n, { password: 'Wrong0horse' })),
    act(401, 'login unknown_email', (n) => login(n, { email: uniqueEmail() })),
    act(400, 'login invalid_request', (n) => login(n, { role: 'admin' })),
    act(413, 'login invalid_request', (n) => login(n, { password: 'x'.repeat(20_000) })),
    act(401, 'refresh refresh_malformed', () => http('POST', '/auth/refresh', { body: { refresh_token: 'prt_x' } })),
    act(400, 'refresh invalid_request', () => http('POST', '/auth/refresh', { body: {} })),
    act(401, 'token_rejected token_malformed', () => http('GET', '/auth/me', { token: 'x' })),
    act(401, 'token_rejected bad_signature', () => http('GET', '/auth/me', { token: `${header}.e30.${signature}` })),
    act(403, 'ownership_denied not_owner', (n) =>
      http('GET', `/auth/users/${other(n).user_id}`, { token: user(n).token })
    ),
    act(200, null, (n) => http('GET', '/auth/me', { token: user(n).token })),
    act(200, null, (n) => http('GET', `/auth/users/${user(n).user_id}/events`, { token: user(n).token })),
    act(401, null, () => http('GET', '/auth/me')),
    act(404, null, () => http('GET', '/auth/none')),
    act(405, null, () => http('DELETE', '/auth/login'))
  ]
}

async function written({ app, sql }: App): Promise<Map<string, number>> {
  await app.events.flush()
  const rows = await sql`select concat_ws(' ', event_type, failure_reason) as name,
      sum(coalesce((details->>'count')::int, 1))::int as answers
    from postern.auth_events where event_type not in ('service_started', 'key_created') group by 1`
  return new Map(rows.map(({ name, answers }) => [name, answers]))
}

t.test(
  'after a mixed run of a thousand requests there are exactly as many events as answers, by type and reason',
  async (t) => {
    const app = await createApp(t, { config })
    const users = await Promise.all(Array.from({ length: 5 }, () => newUser(app.http)))
    const expected = new Map<string, number>([['signup', users.length]])
    const all = acts(app, users)
    let next = 0

    /** Each takes the next request when its last one was answered, so that requests of all kinds are under way together. */
    async function work(): Promise<void> {
      while (next < 1000) {
        const n = next
        next += 1
        const { status, expected: name, wanted } = await (all[n % all.length] as Act)(n)
        if (status !== wanted) t.fail(`${name} was answered ${status}, not ${wanted}`)
        if (name !== null) expected.set(name, (expected.get(name) ?? 0) + 1)
      }
    }

    await Promise.all(Array.from({ length: 20 }, work))
    t.strictSame([...(await written(app))].sort(), [...expected].sort())
  }
)

t.test('of a flood over the limit every answer is counted, in few rows', async (t) => {
  const app = await createApp(t, { config })
  const { email } = await newUser(app.http)
  const attempt = () => app.http('POST', '/auth/login', { body: { email, password: 'Wrong0horse' } })
  const statuses = new Map<number, number>()
  for (let round = 0; round < 20; round += 1) {
    for (const { status } of await Promise.all(Array.from({ length: 25 }, attempt))) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  t.strictSame([...statuses].sort(), [
    [401, 5],
    [429, 495]
  ])
  const counts = await written(app)
  t.equal(counts.get('login wrong_password'), 5)
  t.equal(counts.get('rate_limited rate_limited'), 495)
  const [{ rows } = {}] =
    await app.sql`select count(*)::int as rows from postern.auth_events where event_type = 'rate_limited'`
  t.ok(rows < 60)
})
