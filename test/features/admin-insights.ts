import t from 'tap'
import { PATTERNS } from '../../src/features/monitoring/insights.js'
import { type AdminApp, createAdminApp } from '../fixtures/admin.js'
import { ordinaryTraffic } from '../fixtures/traffic.js'

/** The patterns are to be found in a million as well: `TRAFFIC_EVENTS=1000000`. */
const EVENTS = Number(process.env.TRAFFIC_EVENTS ?? 100_000)

const NOBODY = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'

interface Planted {
  type: string
  success?: boolean
  reason?: string
  email?: string
  address: string
  userId?: string
  details?: object
}

/** One event for each, evenly spread over the last hour. */
async function plant({ sql }: AdminApp, events: Planted[]): Promise<void> {
  const rows = events.map(({ type, success = false, reason, email, address, userId, details }, index) => ({
    event_type: type,
    success,
    failure_reason: reason ?? null,
    email: email ?? null,
    ip_address: address,
    user_id: userId ?? null,
    details: details ?? null,
    age: (3000 * (events.length - index)) / events.length
  }))
  await sql`insert into postern.auth_events
      (id, event_type, success, failure_reason, email, ip_address, user_id, details, created_at)
    select gen_random_uuid(), event_type, success, failure_reason, email, ip_address, user_id, details, now() - make_interval(secs => age)
    from jsonb_to_recordset(${sql.json(rows as never)}) as planted (event_type text, success boolean, failure_reason text, email text,
      ip_address inet, user_id uuid, details jsonb, age float8)`
}

const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))

const wrong = (email: string, address: string): Planted => ({ type: 'login', reason: 'wrong_password', email, address })
const login = (email: string, address: string): Planted => ({ type: 'login', success: true, email, address })

interface Finding {
  pattern: string
  subject: string
  answers: number
  since: string
  until: string
  evidence: Record<string, unknown>
  events: Record<string, string>
}

async function findings(app: AdminApp, query = ''): Promise<Finding[]> {
  const { status, body, raw } = await app.call('GET', `/insights${query}`)
  if (status !== 200) throw new Error(raw)
  return body.insights
}

const namesOf = (found: Finding[]) => found.map(({ pattern, subject }) => `${pattern} ${subject}`).sort()

/** What is close to a pattern, and is none: a day in which nobody attacks has this, too. */
const EVERYDAY: Planted[] = [
  // An owner who has forgotten the password, and remembers it.
  ...times(12, () => wrong('forgetful@example.com', '192.0.2.1')),
  login('forgetful@example.com', '192.0.2.1'),
  // A phone with an old password that changes its address.
  ...times(9, (n) => wrong('traveller@example.com', `192.0.2.${10 + n}`)),
  // A school behind one address, on the day after the holidays.
  ...times(60, (n) => wrong(`pupil-${n}@example.com`, '192.0.2.50')),
  ...times(80, (n) => login(`pupil-${n}@example.com`, '192.0.2.50')),
  // A class that signs up.
  ...times(15, (n) => ({ type: 'signup', success: true, email: `new-${n}@example.com`, address: '192.0.2.60' })),
  // A link to somebody else's page.
  ...times(4, (n) => ({
    type: 'ownership_denied',
    reason: 'not_owner',
    userId: NOBODY,
    address: '192.0.2.70',
    details: { requested_user_id: `01909c70-3c4f-7d1a-9d3e-00000000000${n}` }
  })),
  // An application that goes on with a token that has expired.
  ...times(200, () => ({
    type: 'token_rejected',
    reason: 'token_expired',
    email: 'app@example.com',
    address: '192.0.2.80'
  }))
]

/** Each pattern, what it is found as, and what is said of it. */
const PLANTED: { name: string; events: Planted[]; found: string; answers: number; evidence: object }[] = [
  {
    name: 'many failures from one address',
    events: [
      ...times(60, (n) => wrong(`target-${n % 3}@example.com`, '203.0.113.10')),
      login('target-1@example.com', '203.0.113.10')
    ],
    found: 'address_failures 203.0.113.10',
    answers: 60,
    evidence: { addresses: 1, accounts: 3, logins: 1, reasons: { wrong_password: 60 } }
  },
  {
    name: 'a flood, of which the trail has the sum',
    events: [
      { type: 'rate_limited', reason: 'rate_limited', address: '203.0.113.11', details: { count: 1 } },
      { type: 'rate_limited', reason: 'rate_limited', address: '203.0.113.11', details: { count: 499 } }
    ],
    found: 'address_failures 203.0.113.11',
    answers: 500,
    evidence: { accounts: 0, logins: 0, reasons: { rate_limited: 500 } }
  },
  {
    name: 'forged tokens',
    events: times(35, () => ({ type: 'token_rejected', reason: 'bad_signature', address: '203.0.113.12' })),
    found: 'address_failures 203.0.113.12',
    answers: 35,
    evidence: { reasons: { bad_signature: 35 } }
  },
  {
    name: 'one address over many accounts (spraying)',
    events: times(40, (n) => ({
      ...wrong(`sprayed-${n}@example.com`, '203.0.113.20'),
      reason: n % 2 ? 'wrong_password' : 'unknown_email'
    })),
    found: 'spraying 203.0.113.20',
    answers: 40,
    evidence: { accounts: 40, addresses: 1, reasons: { wrong_password: 20, unknown_email: 20 } }
  },
  {
    name: 'spraying that changes its address within a /64',
    events: times(40, (n) => wrong(`six-${n}@example.com`, `2001:db8:ffff:1::${(n + 1).toString(16)}`)),
    found: 'spraying 2001:db8:ffff:1::/64',
    answers: 40,
    evidence: { accounts: 40, addresses: 1 }
  },
  {
    name: 'many failures for one account',
    events: times(27, (n) => wrong('victim-c@example.com', `203.0.113.${30 + (n % 3)}`)),
    found: 'account_failures victim-c@example.com',
    answers: 27,
    evidence: { addresses: 3, accounts: 1, logins: 0 }
  },
  {
    name: 'many addresses over one account',
    events: [
      ...times(45, (n) => wrong('victim-d@example.com', `203.0.113.${100 + (n % 45)}`)),
      login('victim-d@example.com', '203.0.113.101')
    ],
    found: 'many_addresses victim-d@example.com',
    answers: 45,
    evidence: { addresses: 45, logins: 1 }
  },
  {
    name: 'refresh reuse',
    events: [
      {
        type: 'refresh_reuse_detected',
        reason: 'refresh_reused',
        email: 'victim-e@example.com',
        userId: '01909c70-3c4f-7d1a-9d3e-0000000000e0',
        address: '203.0.113.200'
      }
    ],
    found: 'refresh_reuse 01909c70-3c4f-7d1a-9d3e-0000000000e0',
    answers: 1,
    evidence: { emails: ['victim-e@example.com'] }
  },
  {
    name: "probing for others' ids",
    events: times(8, (n) => ({
      type: 'ownership_denied',
      reason: 'not_owner',
      email: 'prober@example.com',
      userId: '01909c70-3c4f-7d1a-9d3e-0000000000f0',
      address: '203.0.113.201',
      details: { requested_user_id: `01909c70-3c4f-7d1a-9d3e-00000000000${n}` }
    })),
    found: 'ownership_probing 01909c70-3c4f-7d1a-9d3e-0000000000f0',
    answers: 8,
    evidence: { requested_users: 8, emails: ['prober@example.com'] }
  },
  {
    name: 'a burst of signups from one network',
    events: times(30, (n) => ({
      type: 'signup',
      success: true,
      email: `bot-${n}@example.com`,
      address: `203.0.114.${n + 1}`
    })),
    found: 'signup_burst 203.0.114.0/24',
    answers: 30,
    evidence: { hours: 1, most_in_an_hour: 30 }
  }
]

t.test(`in ${EVENTS} ordinary events nothing is found, and of what is planted exactly that`, async (t) => {
  const app = await createAdminApp(t)
  await ordinaryTraffic(app.sql, { events: EVENTS, seconds: 86_000, users: EVENTS / 5 })
  await app.sql`analyze postern.auth_events`
  t.strictSame(namesOf(await findings(app)), [])
  await plant(app, EVERYDAY)
  t.strictSame(namesOf(await findings(app)), [], 'nor in what is close to a pattern')
  const expected: string[] = []
  for (const { name, events, found, answers, evidence } of PLANTED) {
    await plant(app, events)
    expected.push(found)
    const all = await findings(app)
    t.strictSame(namesOf(all), [...expected].sort(), name)
    const finding = all.find(({ pattern, subject }) => `${pattern} ${subject}` === found)
    t.match(finding, { answers, evidence }, name)
    await t.test(`${name}: its filters list what was found`, async (t) => {
      const query = new URLSearchParams(finding?.events).toString()
      const { body } = await app.call('GET', `/events?limit=100&${query}`)
      const counted = body.events.map(({ details }: { details: { count?: number } }) => details.count ?? 1)
      t.equal(
        counted.reduce((sum: number, count: number) => sum + count, 0),
        answers
      )
    })
  }
  t.strictSame(
    new Set(expected.map((one) => one.split(' ')[0])),
    new Set(Object.keys(PATTERNS)),
    'each pattern was planted'
  )

  const plan = await app.sql`explain (costs off) select * from postern.insights`
  const text = plan.map((line) => line['QUERY PLAN']).join('\n')
  const [month] = await app.sql`select 'auth_events_' || to_char(now() at time zone 'UTC', 'YYYY_MM') as name`
  t.notMatch(text, `Seq Scan on ${month?.name}`, 'by indexes alone')

  const narrow = await findings(app, '?window=1h')
  t.ok(namesOf(narrow).includes('spraying 203.0.113.20'))
  await app.sql.begin(async (psql) => {
    await psql`set local postern.insight_window = '10 minutes'`
    const [row] = await psql`select count(*)::int as found from postern.insights where pattern = 'spraying'`
    t.equal(row?.found, 0, 'in psql the setting says how far back they look')
  })
})

t.test('a finding says since when, how much, with which evidence, and what to do', async (t) => {
  const app = await createAdminApp(t)
  await plant(
    app,
    times(40, (n) => wrong(`sprayed-${n}@example.com`, '203.0.113.20'))
  )
  const { body } = await app.call('GET', '/insights')
  t.equal(body.total, 1)
  const [finding] = body.insights
  t.strictSame(Object.keys(finding), [
    'pattern',
    'title',
    'subject',
    'since',
    'until',
    'answers',
    'evidence',
    'advice',
    'events'
  ])
  t.match(finding, { ...PATTERNS.spraying, since: /Z$/, until: /Z$/ })
  t.ok(finding.since < finding.until)
  t.strictSame(finding.evidence.top_accounts.length, 5)
  t.strictSame(finding.evidence.top_addresses, [{ answers: 40, ip_address: '203.0.113.20/32' }])
  const [row] = await app.sql`select details from postern.auth_events where event_type = 'admin_action'`
  t.strictSame(row?.details, { action: 'insights.list' })
})

t.test('the window is a duration from an hour to thirty days', async (t) => {
  const app = await createAdminApp(t)
  for (const window of ['1h', '24h', '7d', '30d', '86400s']) {
    t.equal((await app.call('GET', `/insights?window=${window}`)).status, 200, window)
  }
  for (const window of ['59m', '31d', '1', '', 'x', '-1h', '1e3h', "1h'", '1h&window=2h', '1h&limit=1']) {
    const answer = await app.call('GET', `/insights?window=${window}`)
    t.match(answer, { status: 400, body: { code: 'invalid_request' } }, window)
  }
})
