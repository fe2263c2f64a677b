import { posix } from 'node:path'
import t from 'tap'
import type { Finding } from '../../src/cli/doctor/finding.js'
import { judgeAddress } from '../../src/cli/doctor/through/judge-address.js'
import { trustedProxies } from '../../src/lib/trusted-proxies.js'
import { until } from '../fixtures/database.js'
import { doctor, service } from '../fixtures/doctor.js'
import { connect } from '../fixtures/postgres.js'
import { postern } from '../fixtures/process.js'
import { tlsFile } from '../fixtures/relay.js'
import { freePort } from '../fixtures/server.js'
import { type Answer, createGateway, type GatewayRules } from '../fixtures/small-gateway.js'

const OWNED = '/api/:user_id/echo'
/** The gateway of the tests, and not 127.77.0.1 from which doctor asks. */
const TRUST_PROXY = '127.0.0.1'

const { env, url, databaseUrl } = await service(t, { TRUST_PROXY, OWNER_PATHS: '/api/:user_id/*' })
const sql = connect(databaseUrl, 1)
t.teardown(() => sql.end())

/** What fails through a gateway with these faults. */
async function through(faults: Partial<GatewayRules>, paths = [OWNED]) {
  return await doctor(env, await createGateway(t, url, faults), paths)
}

const throwaways = () => sql`select id from postern.users where email like 'doctor-%'`

t.test('through a good gateway nothing fails, and what doctor has made is gone but for its events', async (t) => {
  const [before] = await sql`select clock_timestamp() as at`
  const { findings, failed, exitCode, of } = await through({})
  t.strictSame([failed, exitCode], [[], 0])
  const found = Object.fromEntries(findings.map(({ check, status }) => [check, status]))
  for (const check of [
    'gateway',
    'gateway: headers',
    'gateway: errors',
    'gateway: scheme',
    'gateway: key set',
    'gateway: key set caching',
    'gateway: outside /auth',
    'gateway: client address',
    `gateway: ${OWNED} without a token`,
    `gateway: ${OWNED} identity`,
    `gateway: ${OWNED} of another user`
  ]) {
    t.equal(found[check], 'ok', check)
  }
  t.match(of('gateway: client address'), [{ found: /^127\.77\.0\.1 arrives/ }])
  t.strictSame([...(await throwaways())], [])
  const events = await sql`select event_type, email, details from postern.auth_events
    where created_at >= ${before?.at} and email like 'doctor-%' order by created_at, id`
  t.match(
    [...events],
    [
      { event_type: 'signup', details: { by: 'doctor' } },
      { event_type: 'login' },
      { event_type: 'login' },
      { event_type: 'ownership_denied' },
      { event_type: 'ownership_denied' },
      { event_type: 'user_updated', details: { by: 'doctor', changes: { removed: true } } }
    ]
  )
  const [rows] = await sql`select (select count(*)::int from postern.sessions) as sessions,
    (select count(*)::int from postern.known_addresses) as addresses, (select count(*)::int from postern.throttle_counts) as counts`
  t.strictSame({ ...rows }, { sessions: 0, addresses: 0, counts: 0 })
})

const changed = (path: string, change: (answer: Answer) => Answer) => (asked: string, answer: Answer) =>
  asked.startsWith(path) ? change(answer) : answer

const withHeaders = (answer: Answer, headers: Answer['headers']): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers }
})

/** Each gateway with one fault, and every check that fails for it. */
const FAULTS: Record<string, [Partial<GatewayRules>, Record<string, RegExp>]> = {
  'passes on X-Forwarded-For as a client sent it': [
    { forwarded: (headers) => ({ 'x-forwarded-for': headers['x-forwarded-for'] ?? '', 'x-forwarded-proto': 'http' }) },
    { 'gateway: client address': /clients choose their address/ }
  ],
  'puts the address before what a client sent': [
    {
      forwarded: (headers, address) => ({
        'x-forwarded-for': [address, headers['x-forwarded-for'] ?? []].flat().join(', '),
        'x-forwarded-proto': 'http'
      })
    },
    { 'gateway: client address': /clients choose their address/ }
  ],
  'believes X-Real-IP of a client': [
    {
      forwarded: (headers, address) => ({
        'x-forwarded-for': headers['x-real-ip'] ?? address,
        'x-forwarded-proto': 'http'
      })
    },
    { 'gateway: client address': /clients choose their address/ }
  ],
  'says nothing of the client': [
    { forwarded: () => ({ 'x-forwarded-proto': 'http' }) },
    { 'gateway: client address': /sends no X-Forwarded-For/ }
  ],
  'passes on X-Forwarded-Proto as a client sent it': [
    {
      forwarded: (headers, address) => ({
        'x-forwarded-for': address,
        'x-forwarded-proto': headers['x-forwarded-proto'] ?? 'http'
      })
    },
    { 'gateway: scheme': /is believed/ }
  ],
  'forwards everything': [{ forwards: () => true }, { 'gateway: outside /auth': /\/metrics/ }],
  'keeps out a list of paths, as they are spelled': [
    { forwards: (path) => !/^\/(livez|readyz|metrics|docs|admin)/.test(path) },
    { 'gateway: outside /auth': /\/%/ }
  ],
  'decides by one path and sends another': [
    { rewrite: (path) => posix.normalize(path) },
    { 'gateway: outside /auth': /\/auth\/\.\.\// }
  ],
  'takes away Cache-Control': [
    {
      answer: changed('/auth/settings', ({ headers: { 'cache-control': _, ...headers }, ...rest }) => ({
        ...rest,
        headers
      }))
    },
    { 'gateway: headers': /cache-control/ }
  ],
  'has error pages of its own': [
    {
      answer: (_path, answer) =>
        answer.status === 401
          ? { status: 401, headers: { 'content-type': 'text/html' }, body: Buffer.from('no') }
          : answer
    },
    { 'gateway: errors': /body is not ours.*Content-Type.*WWW-Authenticate/ }
  ],
  'has the key set kept for a week': [
    {
      answer: changed('/auth/.well-known/jwks', (answer) =>
        withHeaders(answer, { 'cache-control': 'public, max-age=604800' })
      )
    },
    { 'gateway: key set caching': /604800 s, beyond KEY_PUBLISH_AHEAD/ }
  ],
  'answers with a key set of yesterday': [
    {
      answer: changed('/auth/.well-known/jwks', (answer) =>
        answer.status === 200 ? { ...answer, body: Buffer.from('{"keys":[]}') } : answer
      )
    },
    { 'gateway: key set': /missing, though published/ }
  ],
  'does not ask about the API': [
    { protects: () => false, identity: () => ({}) },
    {
      [`gateway: ${OWNED} without a token`]: /let in: \/api\/:user_id\/echo/,
      [`gateway: ${OWNED} of another user`]: /let in, with 200/
    }
  ],
  'asks about the API by its plain spelling alone': [
    { protects: (path) => !path.includes('access_token') },
    { [`gateway: ${OWNED} without a token`]: /let in: \/api\/:user_id\/echo\?access_token=x$/ }
  ],
  'lets identity headers of a client through': [
    { identity: (headers, verified) => ({ ...verified, 'x-user-id': headers['x-user-id'] }) },
    { [`gateway: ${OWNED} identity`]: /X-User-Id reaches/ }
  ],
  'lets a spelling with underscores through': [
    { identity: (headers, verified) => ({ 'x-user-id': verified['x-user-id'], x_user_id: headers.x_user_id }) },
    { [`gateway: ${OWNED} identity`]: /X_User_Id reaches/ }
  ],
  'asks about the path that a client names': [
    { original: (headers, path) => String(headers['x-original-uri'] ?? path) },
    { [`gateway: ${OWNED} of another user`]: /X-Original-URI/ }
  ],
  'does not forward POST': [
    { answer: changed('/auth/login', () => ({ status: 405, headers: {}, body: Buffer.from('no POST') })) },
    { 'gateway: client address': /answered 405: no POST/ }
  ],
  'forwards /auth to something else': [
    { answer: () => ({ status: 200, headers: {}, body: Buffer.from('hello') }) },
    { gateway: /not by Postern: hello/ }
  ]
}

for (const [fault, [rules, expected]] of Object.entries(FAULTS)) {
  t.test(`a gateway that ${fault} fails by that alone`, async (t) => {
    const { failed, exitCode, of } = await through(rules)
    t.strictSame(failed.sort(), Object.keys(expected).sort())
    for (const [check, found] of Object.entries(expected)) t.match(of(check), [{ found, advice: /\w/ }])
    t.equal(exitCode, 1)
    t.strictSame([...(await throwaways())], [])
  })
}

t.test('without TRUST_PROXY every client has the address of the gateway', async (t) => {
  const bare = await service(t)
  const { failed, of } = await doctor(bare.env, await createGateway(t, bare.url))
  t.strictSame(failed, ['gateway: client address'])
  t.match(of('gateway: client address'), [{ found: /TRUST_PROXY is not set/, advice: 'set TRUST_PROXY=127.0.0.1' }])
  t.match(of('gateway: protected paths'), [{ status: 'skip', found: /^not checked/ }])
})

t.test('where this machine is itself in TRUST_PROXY nothing is said for certain', async (t) => {
  const wide = await service(t, { TRUST_PROXY: 'loopback' })
  const appends: Partial<GatewayRules> = {
    forwarded: (headers, address) => ({
      'x-forwarded-for': [headers['x-forwarded-for'] ?? [], address].flat().join(', '),
      'x-forwarded-proto': 'http'
    })
  }
  const { failed, of } = await doctor(wide.env, await createGateway(t, wide.url, appends))
  t.strictSame(failed, [])
  t.match(of('gateway: client address'), [{ status: 'warn', advice: /TRUST_PROXY names this machine, too/ }])
})

t.test('a service with another database gets no account, and is told', async (t) => {
  const other = await service(t, { TRUST_PROXY })
  const { failed, of } = await doctor(env, await createGateway(t, other.url))
  t.strictSame(failed.sort(), ['gateway: client address', 'gateway: key set'])
  t.match(of('gateway: client address'), [{ advice: /another database/ }])
  const foreign = connect(other.databaseUrl, 1)
  t.strictSame([...(await foreign`select id from postern.users`)], [])
  await foreign.end()
  t.strictSame([...(await throwaways())], [])
})

t.test('a service with another ISSUER is another service; nobody at the URL is a failure', async (t) => {
  const elsewhere = await doctor({ ...env, ISSUER: 'http://localhost:1/auth' }, await createGateway(t, url))
  t.strictSame(elsewhere.failed, ['gateway'])
  t.match(elsewhere.of('gateway: the rest'), [{ status: 'skip' }])
  const nobody = await doctor(env, `http://127.0.0.1:${await freePort()}`)
  t.match(nobody.of('gateway'), [{ status: 'fail', found: /ECONNREFUSED/ }])
})

t.test(
  'in production plain http that the gateway marks is refused, and that it does not mark is a failure',
  async (t) => {
    const production = { NODE_ENV: 'production', BCRYPT_COST: '10', TRUST_PROXY, ISSUER: 'http://localhost:3000/auth' }
    const strict = await service(t, { ...production, RATE_LIMIT_LOGIN: '100/60', RATE_LIMIT_SIGNUP: '100/60' })
    const marked = await doctor(strict.env, await createGateway(t, strict.url))
    t.match(marked.of('gateway'), [{ status: 'fail', found: /plain http is refused/ }])
    const silent = { forwarded: (_headers: unknown, address: string) => ({ 'x-forwarded-for': address }) }
    const unmarked = await doctor(strict.env, await createGateway(t, strict.url, silent))
    t.strictSame(unmarked.failed, ['gateway: scheme'])
  }
)

/** The findings about a gateway with TLS, which needs its root from outside the process. */
async function overTls(proto: GatewayRules['forwarded']) {
  const gateway = await createGateway(t, url, { forwarded: proto }, { tls: true })
  const { ended, output } = postern(t, ['doctor', '--json', '--through', gateway], {
    ...env,
    NODE_EXTRA_CA_CERTS: tlsFile('ca.pem')
  })
  await ended
  const { checks } = JSON.parse(output().stdout) as { checks: Finding[] }
  return checks.filter(({ check }) => check === 'gateway' || check === 'gateway: scheme')
}

t.test('https has to arrive as https, whatever a client says', async (t) => {
  const good = await overTls((_headers, address) => ({ 'x-forwarded-for': address, 'x-forwarded-proto': 'https' }))
  t.match(good, [{ status: 'ok' }, { status: 'ok', found: /https arrives as https/ }])
  const silent = await overTls((_headers, address) => ({ 'x-forwarded-for': address }))
  t.match(silent, [{ status: 'ok' }, { status: 'fail', found: /does not arrive as https/ }])
  const believing = await overTls((headers, address) => ({
    'x-forwarded-for': address,
    'x-forwarded-proto': headers['x-forwarded-proto'] ?? 'https'
  }))
  t.match(believing, [{ status: 'ok' }, { status: 'fail', found: /is believed/ }])
  const unknown = await doctor(env, await createGateway(t, url, {}, { tls: true }))
  t.match(unknown.of('gateway'), [{ status: 'fail', found: /cannot be reached: .*certificate/ }])
})

t.test('what the answer of an API does not show is not said to be checked', async (t) => {
  const blind: Partial<GatewayRules> = { identity: () => ({}) }
  const { failed, of } = await through(blind)
  t.strictSame(failed, [])
  t.match(of(`gateway: ${OWNED} identity`), [{ status: 'skip', found: /shows no headers/ }])
  const unowned = await through({}, ['/api/somebody/echo'])
  t.match(unowned.of('gateway: /api/somebody/echo identity'), [{ status: 'warn', advice: /write :user_id/ }])
})

t.test('an interrupted doctor removes its account and ends with 130', async (t) => {
  let logins = 0
  const hanging = await createGateway(t, url, {
    wait: async (path) => {
      if (path === '/auth/login' && ++logins === 2) await new Promise(() => undefined)
    }
  })
  const { child, ended, output } = postern(t, ['doctor', '--through', hanging], env)
  await until(() => logins === 2)
  t.equal((await throwaways()).length, 1)
  child.kill('SIGINT')
  t.equal(await ended, 130)
  t.strictSame(output(), { stdout: '', stderr: '' })
  t.strictSame([...(await throwaways())], [])
})

t.test('what arrives is judged by what can be known from outside', async (t) => {
  const judged = (plain: string, forged: string, own: string, remote: string, trust: string[] = []) =>
    judgeAddress({
      seen: { plain, forged },
      own,
      remote,
      trusts: trust.length > 0,
      isTrusted: trustedProxies(trust)
    })
  const [client, gateway, inside, lie] = ['203.0.113.5', '203.0.113.9', '10.0.0.9', '198.51.100.77']
  t.match(judged(client, client, client, gateway, [inside]), { status: 'ok' })
  t.match(judged(client, client, client, gateway), { status: 'ok' })
  t.match(judged(client, lie, client, gateway, [inside]), { status: 'fail' })
  t.match(judged(inside, lie, inside, gateway, ['private']), { status: 'warn' })
  t.match(judged(inside, inside, client, gateway), { status: 'fail', advice: `set TRUST_PROXY=${inside}` })
  t.match(judged(inside, inside, client, gateway, [inside]), { status: 'fail', found: /sends no/ })
  t.match(judged(gateway, gateway, client, gateway, [inside]), {
    status: 'fail',
    advice: `add ${gateway} to TRUST_PROXY`
  })
  t.match(judged('::1', '::1', '::1', '::1', [inside]), { status: 'warn', advice: /another machine/ })
  t.match(judged(inside, inside, client, gateway, ['10.1.0.0/16']), { status: 'warn', advice: /right if/ })
})
