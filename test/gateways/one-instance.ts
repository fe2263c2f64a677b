import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'
import { password } from '../fixtures/app.js'
import { type Answer, ask, GATEWAY, json, newAddress } from './client.js'
import { until, type World } from './world.js'

/** While the other instance is down: also what is counted by each instance is exact. */
export const ONE_INSTANCE = {
  'the smoke test passes, with one of two instances down': async (t: Test) => {
    const { PATH = '' } = process.env
    const run = promisify(execFile)('sh', [join(packageRoot(), 'scripts/smoke.sh'), `http://localhost:${GATEWAY}`], {
      env: { PATH, HOME: '/nonexistent' }
    })
    const { stdout, code = 0 } = await run.catch((error) => error)
    t.equal(code, 0, stdout)
    t.match(stdout.trimEnd(), /\n\d+ passed, 0 failed$/)
  },

  'a client is limited by its own address, and 429 arrives with what it says': async (t: Test, world: World) => {
    const { email } = await world.newUser()
    const client = newAddress()
    const body = JSON.stringify({ email, password: `${password}x` })
    const attempt = (from: string, ...headers: [string, string][]) =>
      ask({ method: 'POST', path: '/auth/login', headers: [json, ...headers], body, from })
    for (let tries = 1; tries <= 5; tries += 1) {
      const forged = ['X-Forwarded-For', `203.0.113.${tries}`] as [string, string]
      t.equal((await attempt(client, forged, ['Forwarded', `for=198.51.100.${tries}`])).status, 401)
    }
    const limited = await attempt(client, ['X-Forwarded-For', '203.0.113.99'], ['X-Real-IP', '203.0.113.98'])
    t.match(limited, { status: 429, json: { code: 'rate_limited' } })
    t.match(limited.headers, {
      'content-type': /^application\/problem\+json/,
      'retry-after': /^\d+$/,
      ratelimit: /r=0/,
      'ratelimit-policy': /q=5;w=60/,
      'cache-control': 'no-store'
    })
    t.equal((await attempt(newAddress())).status, 401, 'another client has its own count')
    const rows =
      await world.sql`select distinct host(ip_address) as address from postern.auth_events where email = ${email}
      and event_type in ('login', 'rate_limited') and ip_address <= '127.255.255.255'`
    t.ok(rows.some(({ address }) => address === client))
    const [row] = await world.sql`select count(*)::int as forged from postern.auth_events
      where host(ip_address) like '203.%' or host(ip_address) like '198.%'`
    t.equal(row?.forged, 0, 'no address that a client has made up is on record')
  },

  'what Postern answers under /auth arrives unchanged': async (t: Test, world: World) => {
    const { token } = await world.newUser()
    const requests = [
      { path: '/auth/me' },
      { path: '/auth/me', token: 'nonsense' },
      { path: '/auth/me', token },
      { path: '/auth/users/00000000-0000-7000-8000-000000000000', token },
      { path: '/auth/nothing' },
      { path: '/auth/me?x=1', token },
      { method: 'PUT', path: '/auth/me', token },
      { method: 'POST', path: '/auth/login', headers: [json], body: '{' },
      { method: 'POST', path: '/auth/login', headers: [json], body: JSON.stringify({ email: 'x'.repeat(20_000) }) },
      { path: '/auth/.well-known/jwks.json' },
      { path: '/auth/.well-known/oauth-authorization-server' },
      { method: 'HEAD', path: '/auth/settings' }
    ]
    for (const request of requests) {
      // Each from an address of its own, so that no limit counts both.
      const direct = await ask({ ...request, from: newAddress(), port: world.first.port })
      const through = await ask({ ...request, from: newAddress() })
      t.strictSame(essence(through), essence(direct), `${request.method ?? 'GET'} ${request.path}: ${direct.status}`)
    }
  },

  'in production what came by plain http is refused, under /auth and on the way to the API': async (
    t: Test,
    world: World
  ) => {
    const user = await world.newUser()
    await world.first.kill()
    await world.first.start({ NODE_ENV: 'production', BCRYPT_COST: '10' })
    await until(async () => (await ask({ path: '/auth/settings' })).status === 403)
    const before = world.received.length
    const claims: [string, string][] = [
      ['X-Forwarded-Proto', 'https'],
      ['Forwarded', 'proto=https']
    ]
    for (const path of ['/auth/me', `/api/${user.user_id}`]) {
      for (const headers of [[], claims]) {
        const answer = await ask({ path, token: user.token, headers })
        t.match(answer, { status: 403, json: { code: 'https_required' } }, path)
      }
    }
    t.equal(world.received.length, before)
    await world.first.kill()
    await world.first.start()
    await until(async () => (await ask({ path: '/auth/settings' })).status === 200)
  }
}

const HEADERS = [
  'www-authenticate',
  'content-type',
  'cache-control',
  'etag',
  'allow',
  'content-security-policy',
  'x-content-type-options',
  'referrer-policy',
  'strict-transport-security',
  'location',
  'ratelimit-policy'
]

/** Of two answers to the same request everything but its id and the time. */
export function essence({ status, headers, body }: Answer) {
  return {
    status,
    headers: Object.fromEntries(HEADERS.map((name) => [name, headers[name]])),
    body: body.replace(/"request_id":"[^"]*"/, '"request_id":"…"')
  }
}
