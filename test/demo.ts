import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { packageRoot } from '../src/lib/package-root.js'
import { until } from './fixtures/database.js'
import { connect, createDatabase } from './fixtures/postgres.js'
import { observe, settingsFor } from './fixtures/process.js'

const BUILT = fileURLToPath(new URL('../src', import.meta.url))

function demo(t: Test, env: Record<string, string>) {
  const args = [join(packageRoot(), 'scripts', 'demo.js'), '--people', '120', '--built', BUILT]
  const { PATH = '' } = process.env
  return observe(
    t,
    spawn(process.execPath, args, { env: { PATH, LOG_LEVEL: 'silent', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  )
}

t.test('the demo is a month of traffic with an attack, in which the admin that it prints can sign in', async (t) => {
  const databaseUrl = await createDatabase(t, { empty: true })
  const env = { ...settingsFor(databaseUrl), RATE_LIMIT_LOGIN: 'off' }
  const { output } = demo(t, env)
  await until(async () => output().stdout.includes('password'))
  const { stdout, stderr } = output()
  t.equal(stderr, '', 'silent in a pipe')
  const [, page = '', email, password] = /page +(\S+)\s+email +(\S+)\s+password +(\S+)/.exec(stdout) ?? []
  const origin = new URL(page).origin
  t.equal((await fetch(page)).status, 200)
  await until(async () => (await fetch(`${origin}/readyz`)).status === 200)
  const login = await fetch(`${origin}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password })
  })
  t.equal(login.status, 200)
  const { token } = (await login.json()) as { token: string }
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape that it expects
  const ask = async (path: string): Promise<any> =>
    (await fetch(`${origin}/admin/api${path}`, { headers: { authorization: `Bearer ${token}` } })).json()

  const patterns = new Set((await ask('/insights?window=7d')).insights.map((one: { pattern: string }) => one.pattern))
  for (const pattern of ['spraying', 'many_addresses', 'refresh_reuse', 'ownership_probing', 'signup_burst'])
    t.ok(patterns.has(pattern), pattern)
  const states = (await ask('/keys')).keys.map(({ state }: { state: string }) => state).sort()
  t.strictSame(states, ['current', 'next', 'previous', 'retired'])
  const { totals } = await ask('/stats?window=30d')
  const types = new Set(totals.map(({ event_type }: { event_type: string }) => event_type))
  for (const type of ['signup', 'login', 'refresh', 'logout', 'key_rotated', 'service_started'])
    t.ok(types.has(type), type)

  const again = demo(t, env)
  t.equal(await again.ended, 1)
  t.match(again.output().stderr, /has \d+ users already/)
  const sql = connect(databaseUrl)
  const [row] = await sql`select count(*)::int as n from postern.users where role = 'admin'`
  await sql.end()
  t.equal(row?.n, 1)
})

t.test('the demo is nothing for production', async (t) => {
  const env = { ...settingsFor('postgres://nobody@127.0.0.1:1/none'), NODE_ENV: 'production', BCRYPT_COST: '12' }
  const { ended, output } = demo(t, { ...env, ISSUER: 'https://id.example.com/auth' })
  t.not(await ended, 0)
  t.match(output().stderr, 'production')
})
