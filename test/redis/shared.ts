import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { CLIENT, createLimited, inTurn } from '../fixtures/attempts.js'
import { serving } from '../fixtures/process.js'
import { createRedis, untilMode } from '../fixtures/redis.js'
import { tlsFile } from '../fixtures/relay.js'
import { freePort } from '../fixtures/server.js'

t.test('exactly 5 of 50 parallel attempts over four instances pass', async (t) => {
  const { url } = await createRedis(t)
  const instances = await Promise.all([1, 2, 3, 4].map(() => createLimited(t, url)))
  await untilMode('shared', ...instances)
  for (const limit of ['login', 'signup'] as const) {
    const attempts = Array.from({ length: 50 }, (_, index) => instances[index % 4]?.attempt(limit))
    const statuses = await Promise.all(attempts)
    t.equal(statuses.filter((status) => status === 204).length, 5)
    t.equal(statuses.filter((status) => status === 429).length, 45)
  }
})

t.test('exactly 5 of 50 parallel logins at two processes pass', async (t) => {
  const { url: REDIS_URL } = await createRedis(t)
  const env = { REDIS_URL, TRUST_PROXY: 'loopback' }
  const urls = [(await serving(t, env)).url, (await serving(t, env)).url]
  const login = async (url: string, client: string) => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': client }
    const body = JSON.stringify({ email: `ada@${client}.example`, password: 'Wrong1horse' })
    return (await fetch(`${url}/auth/login`, { method: 'POST', headers, body })).status
  }
  const changes = async () => {
    const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()))
    return texts.join('').match(/^postern_rate_limit_mode(?:_changes_total)?\{.*$/gm)
  }
  const round = async (client: string) =>
    Promise.all(Array.from({ length: 50 }, (_, index) => login(urls[index % 2] as string, client)))
  // On a busy machine Redis may be late, and then each counts alone: what it promises holds while it answers.
  for (let tries = 1, judged = false; !judged; tries += 1) {
    const before = await changes()
    const statuses = await round(`203.0.113.${tries}`)
    judged = isShared(before) && String(await changes()) === String(before)
    t.comment(`round ${tries}: ${judged}`)
    if (!judged && tries < 50) continue
    t.equal(statuses.filter((status) => status === 401).length, 5)
    t.equal(statuses.filter((status) => status === 429).length, 45)
  }
})

function isShared(series: string[] | null): boolean {
  return series?.filter((line) => line === 'postern_rate_limit_mode{mode="shared"} 1').length === 2
}

t.test('the answers are the same with Redis and without', async (t) => {
  const { url } = await createRedis(t)
  const answers = []
  for (const redisUrl of [url, undefined]) {
    const { request } = await createLimited(t, redisUrl)
    const list = []
    for (let made = 0; made < 7; made += 1) {
      const { status, code, headers } = await request('POST', '/login')
      // Seconds go by between attempts, in both modes.
      const left = String(headers.ratelimit).replace(/t=[1-6]?\d$/, 't=~')
      list.push([status, code, headers['ratelimit-policy'], left, 'retry-after' in headers])
    }
    answers.push(list)
  }
  t.strictSame(answers[0], answers[1])
  t.match(answers[0]?.[5], [429, 'rate_limited', '"login";q=5;w=60', '"login";r=0;t=~', true])
})

t.test('the window begins with the first attempt, at whichever instance, and no later one moves it', async (t) => {
  const { url, command } = await createRedis(t)
  const [first, second] = [await createLimited(t, url), await createLimited(t, url)]
  await first.attempt()
  await sleep(50)
  const [before = ''] = await command('PTTL', `postern:login:${CLIENT}`)
  await inTurn(first, 2)
  await inTurn(second, 5)
  const [after = ''] = await command('PTTL', `postern:login:${CLIENT}`)
  t.ok(Number(before) <= 60_000 - 50)
  t.ok(Number(after) <= Number(before))
  t.ok(Number(after) > 0)
})

t.test('when the window is over a new one begins', async (t) => {
  const { url } = await createRedis(t)
  const { attempt } = await createLimited(t, url, { rateLimits: { login: { max: 1, windowSeconds: 1 } } })
  const until = async (status: number) => {
    for (let tries = 0; (await attempt()) !== status; tries += 1) {
      if (tries > 1000) throw new Error(`never ${status}`)
      await sleep(10)
    }
  }
  for (let windows = 0; windows < 3; windows += 1) {
    await until(429)
    await until(204)
  }
  t.pass('three windows have ended')
})

t.test('Redis has a number for each limit and address, each with an end, and nothing else', async (t) => {
  const { url, command } = await createRedis(t)
  const { attempt } = await createLimited(t, url)
  await attempt('login')
  await attempt('login')
  await attempt('signup')
  await attempt('login', '2001:db8::1')
  await attempt('login', '2001:db8::2')
  const keys = (await command('KEYS', '*')).filter((key) => key !== 'postern:probe')
  t.strictSame(keys.sort(), ['postern:login:2001:db8::/64', `postern:login:${CLIENT}`, `postern:signup:${CLIENT}`])
  t.strictSame(await command('GET', `postern:login:${CLIENT}`), ['2'])
  t.strictSame(await command('GET', 'postern:login:2001:db8::/64'), ['2'])
  for (const key of keys) {
    const [left] = await command('PTTL', key)
    t.ok(Number(left) > 0 && Number(left) <= 60_000, key)
  }
})

t.test(
  'a count without an end, or with one beyond the window, ends after one window and is not forgotten',
  async (t) => {
    const { url, command } = await createRedis(t)
    const key = `postern:login:${CLIENT}`
    for (const end of [[], ['PX', '3600000']]) {
      await command('SET', key, '4', ...end)
      const limited = await createLimited(t, url)
      t.strictSame(await inTurn(limited, 2), [204, 429])
      const [left] = await command('PTTL', key)
      t.ok(Number(left) > 0 && Number(left) <= 60_000)
    }
  }
)

t.test('the user of the documented rights is enough, in a database of its own', async (t) => {
  const { port, command } = await createRedis(t)
  const rights = '-@all +eval +evalsha +get +set +pttl +time +select'.split(' ')
  await command('ACL', 'SETUSER', 'postern', 'reset', 'on', '>p@ss:word/ü', '~postern:*', ...rights)
  const limited = await createLimited(t, `redis://postern:${encodeURIComponent('p@ss:word/ü')}@127.0.0.1:${port}/3`)
  t.equal(limited.app.limiter.mode(), 'shared')
  t.strictSame(await inTurn(limited, 6), [204, 204, 204, 204, 204, 429])
  t.strictSame(await command('KEYS', 'postern:login:*'), [], 'not in database 0')
})

t.test('over rediss:// the certificate is checked: a server that nobody vouches for is none', async (t) => {
  const port = await freePort()
  const files = ['--tls-cert-file', tlsFile('server.pem'), '--tls-key-file', tlsFile('server.key')]
  const tls = ['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', tlsFile('ca.pem')]
  await createRedis(t, [...tls, ...files])
  const REDIS_URL = `rediss://localhost:${port}`
  const trusting = await serving(t, { REDIS_URL, NODE_EXTRA_CA_CERTS: tlsFile('ca.pem') })
  t.match(await trusting.line('rate limits are'), {
    msg: 'rate limits are shared between instances',
    redis: `${REDIS_URL}/0`
  })
  const strict = await serving(t, { REDIS_URL })
  t.match(await strict.line('rate limits are'), { msg: /alone/, reason: /^(?:UNABLE_TO|SELF_SIGNED)_/ })
  const misnamed = await serving(t, {
    REDIS_URL: `rediss://127.0.0.1:${port}`,
    NODE_EXTRA_CA_CERTS: tlsFile('ca.pem')
  })
  t.match(await misnamed.line('rate limits are'), { msg: /alone/, reason: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})
