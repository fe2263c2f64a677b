import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { createLogger } from '../../src/plugins/logger.js'
import { NO_LIMITS, newAdmin } from '../fixtures/admin.js'
import { createApp, password, testConfig, uniqueEmail, untilReady } from '../fixtures/app.js'
import { createTestClock } from '../fixtures/clock.js'
import { connect, createDatabase } from '../fixtures/postgres.js'

const LINK = /^http:\/\/127\.0\.0\.1:\d+\/admin\/#setup=([A-Za-z0-9_-]{43})$/

/** A service that was started as on a developer's machine, listening, with its log. */
async function createDevelopment(
  t: Test,
  databaseUrl: string,
  environment: 'development' | 'production' = 'development'
) {
  const lines: Record<string, string>[] = []
  const logger = await createLogger({
    level: 'warn',
    destination: { write: (line: string) => void lines.push(JSON.parse(line)) }
  })
  const clock = createTestClock()
  const config = testConfig(databaseUrl, { environment, bcryptCost: 10, rateLimits: NO_LIMITS })
  const app = await buildApp({ config, clock, logger })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  await untilReady(app)
  await sleep(50)
  const token = LINK.exec(lines.find(({ link }) => link !== undefined)?.link ?? '')?.[1]
  const redeem = async (body: object) => {
    const answer = await app.inject({ method: 'POST', url: '/admin/api/setup', payload: body })
    return { status: answer.statusCode, body: JSON.parse(answer.payload) }
  }
  return { app, clock, lines, token, redeem, account: () => ({ token, email: uniqueEmail(), password }) }
}

async function isAdmin({ app }: Awaited<ReturnType<typeof createDevelopment>>, token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` }
  return (await app.inject({ method: 'GET', url: '/admin/api/users', headers })).statusCode === 200
}

t.test('a development start without an admin logs a link that makes the first one, once', async (t) => {
  const url = await createDatabase(t)
  const service = await createDevelopment(t, url)
  t.type(service.token, 'string')
  const account = service.account()
  t.match(await service.redeem({ ...account, token: 'A'.repeat(43) }), { status: 404, body: { code: 'not_found' } })
  t.match(await service.redeem({ ...account, password: 'horse' }), { status: 400, body: { code: 'weak_password' } })
  t.match(await service.redeem({ ...account, role: 'admin' }), { status: 400, body: { code: 'invalid_request' } })
  const { status, body } = await service.redeem(account)
  t.match({ status, body }, { status: 201, body: { email: account.email, token_type: 'Bearer' } })
  t.ok(await isAdmin(service, body.token))
  t.match(await service.redeem(service.account()), { status: 404 })
  const sql = connect(url, 1)
  t.teardown(() => sql.end())
  const rows = await sql`select event_type, success, details from postern.auth_events
    where email = ${account.email} and success order by created_at, id`
  t.match(rows, [{ event_type: 'signup' }, { event_type: 'user_updated', details: { by: 'setup' } }])
  t.equal((await createDevelopment(t, url)).token, undefined, 'the next start has an admin')
})

t.test('of several who redeem the link at once exactly one becomes an admin', async (t) => {
  const url = await createDatabase(t)
  const service = await createDevelopment(t, url)
  const answers = await Promise.all(Array.from({ length: 6 }, () => service.redeem(service.account())))
  t.strictSame(answers.map(({ status }) => status).sort(), [201, 404, 404, 404, 404, 404])
  const sql = connect(url, 1)
  t.teardown(() => sql.end())
  const [row] =
    await sql`select count(*)::int as users, count(*) filter (where role = 'admin')::int as admins from postern.users`
  t.strictSame({ ...row }, { users: 1, admins: 1 })
})

t.test('the link is good for thirty minutes, and not beside an admin who was made otherwise', async (t) => {
  const url = await createDatabase(t)
  const late = await createDevelopment(t, url)
  late.clock.advance('29m')
  t.match(await late.redeem({ ...late.account(), password: 'horse' }), { status: 400 })
  late.clock.advance('61s')
  t.match(await late.redeem(late.account()), { status: 404 })
  const other = await createDevelopment(t, url)
  t.type(other.token, 'string')
  const app = await createApp(t, { config: { databaseUrl: url } })
  await newAdmin(app)
  t.match(await other.redeem(other.account()), { status: 404 })
})

t.test('outside development there is no link and nothing to redeem it at', async (t) => {
  const service = await createDevelopment(t, await createDatabase(t), 'production')
  t.equal(service.token, undefined)
  t.notOk(service.app.hasRoute({ method: 'POST', url: '/admin/api/setup' }))
  t.match(await service.redeem(service.account()), { status: 404 })
})
