import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { judgeClock, judgeConnection, judgeServer } from '../../src/cli/doctor/database.js'
import { judge as judgeHashing } from '../../src/cli/doctor/hashing.js'
import { adviseCost } from '../../src/lib/bcrypt-cost.js'
import { newSecret } from '../../src/lib/kept-secret.js'
import { inspectTime } from '../../src/plugins/database/inspect.js'
import { temporaryFolder } from '../fixtures/database.js'
import { doctor, service } from '../fixtures/doctor.js'
import { createFakeRedis } from '../fixtures/fake-redis.js'
import { connect, createDatabase } from '../fixtures/postgres.js'
import { postern, settingsFor } from '../fixtures/process.js'
import { freePort } from '../fixtures/server.js'

/** Everything that could change by looking. */
const contents = async (databaseUrl: string) => {
  const sql = connect(databaseUrl, 1)
  const rows =
    await sql`select (select count(*) from postern.users) as users, (select count(*) from postern.auth_events) as events,
    (select json_agg(signing_keys) from postern.signing_keys) as keys, (select count(*) from postern.sessions) as sessions`
  await sql.end()
  return rows[0]
}

t.test('postern doctor finds nothing wrong with a service that runs, and changes nothing', async (t) => {
  const { env, databaseUrl } = await service(t)
  const before = await contents(databaseUrl)
  const text = postern(t, ['doctor'], env)
  t.equal(await text.ended, 0)
  t.match(text.output().stdout, /^ok {4}settings +valid; \d+ of \d+ are set$/m)
  t.match(
    text.output().stdout,
    /^ok {4}database +PostgreSQL 1[4-9]\.\S+, database test_\w+ as postern, [\d.]+ ms away$/m
  )
  t.match(text.output().stdout, /^ok {4}migrations +\d+ applied, none pending$/m)
  t.match(text.output().stdout, /^ok {4}signing key +ES256 \S+ signs for 0 h; \S+ follows on \d{4}-\d\d-\d\d$/m)
  t.match(text.output().stdout, /^warn {2}admin .*\n +→ `postern admin create EMAIL`/m)
  t.match(text.output().stdout, /^\d+ ok, \d+ to look at, 0 failed, \d+ not checked\n$/m)
  t.equal(text.output().stderr, '')
  const json = postern(t, ['doctor', '--json'], env)
  t.equal(await json.ended, 0)
  const { ok, checks } = JSON.parse(json.output().stdout)
  t.equal(ok, true)
  t.ok(checks.some(({ check, status }: Record<string, string>) => check === 'clock' && status === 'ok'))
  for (const { status, advice } of checks) t.equal(advice === undefined, status === 'ok' || status === 'skip')
  for (const secret of [env.AUTH_SECRET ?? '', new URL(databaseUrl).password]) {
    t.notMatch(text.output().stdout + json.output().stdout, secret)
  }
  t.strictSame(await contents(databaseUrl), before)
})

t.test('wrong settings are told as a start tells them, with 78, and nothing else is looked at', async (t) => {
  const env = { NODE_ENV: 'production', PORT: 'x', JWT_SECRET: 'canary-short', DATABASE_URL: 'canary://host' }
  const { ended, output } = postern(t, ['doctor', '--json'], env)
  t.equal(await ended, 78)
  const { ok, checks } = JSON.parse(output().stdout)
  t.equal(ok, false)
  const faults = checks.filter(({ check }: { check: string }) => check === 'settings')
  for (const name of ['PORT', 'JWT_SECRET', 'DATABASE_URL', 'ISSUER', 'AUTH_SECRET']) {
    t.ok(
      faults.some(({ found, status }: Record<string, string>) => found?.startsWith(name) && status === 'fail'),
      name
    )
  }
  t.match(checks.at(-1), { status: 'skip' })
  t.notMatch(output().stdout + output().stderr, 'canary')
})

t.test('a database that is away is a failure without its password, and the rest is looked at', async (t) => {
  const env = settingsFor(`postgres://postern:canary@127.0.0.1:${await freePort()}/postern`)
  const { of, failed, exitCode, findings } = await doctor(env)
  t.equal(exitCode, 1)
  t.strictSame(failed, ['database'])
  t.match(of('database'), [{ advice: /DATABASE_URL/ }])
  t.match(of('bcrypt'), [{ status: /ok|warn/ }])
  t.notMatch(JSON.stringify(findings), 'canary')
})

t.test('a Redis that is away is a failure without its password; none at all is not', async (t) => {
  const { env } = await service(t)
  const { of: without } = await doctor(env)
  t.match(without('redis'), [{ status: 'ok', found: /for itself/ }])
  const { url } = await createFakeRedis(t)
  const { of: there } = await doctor({ ...env, REDIS_URL: url })
  t.match(there('redis'), [{ status: 'ok', found: /shared through redis:/ }])
  const away = await doctor({ ...env, REDIS_URL: `redis://:canary@127.0.0.1:${await freePort()}` })
  t.strictSame(away.failed, ['redis'])
  t.match(away.of('redis'), [{ found: /ECONNREFUSED/, advice: /REDIS_URL/ }])
  t.notMatch(JSON.stringify(away.findings), 'canary')
})

t.test(
  'a database that is not migrated stays so; one that a later version has changed too far is a failure',
  async (t) => {
    const empty = await createDatabase(t, { empty: true })
    const pending = await doctor(settingsFor(empty))
    t.match(pending.of('migrations'), [{ status: 'warn', found: /^0 applied, \d+ pending/, advice: /postern migrate/ }])
    t.strictSame(pending.of('signing key'), [])
    const sql = connect(empty, 1)
    t.equal((await sql`select to_regnamespace('postern') as schema`)[0]?.schema, null)
    await sql.end()
    const later = await createDatabase(t)
    const other = connect(later, 1)
    await other`insert into postern.__drizzle_migrations (hash, created_at) values ('later', 9999999999999)`
    const added = await doctor(settingsFor(later))
    t.match(added.of('migrations'), [{ status: 'ok' }], 'what was added does no harm')
    await other`comment on table postern.__drizzle_migrations is 'oldest good: 9999999999999'`
    await other.end()
    const { failed, exitCode } = await doctor(settingsFor(later))
    t.strictSame([failed, exitCode], [['migrations'], 1])
  }
)

t.test('an AUTH_SECRET that does not open the keys is a failure; before the first start there are none', async (t) => {
  const { env } = await service(t)
  const wrong = await doctor({ ...env, AUTH_SECRET: newSecret() })
  t.strictSame(wrong.failed, ['signing key'])
  t.match(wrong.of('signing key'), [{ found: /^AUTH_SECRET does not open the signing key/ }])
  const fresh = await doctor(settingsFor(await createDatabase(t)))
  t.match(fresh.of('signing key'), [{ status: 'warn', found: /none yet/ }])
  const secret = await doctor({ ...env, JWT_SECRET: newSecret() })
  t.match(secret.of('signing key'), [{ status: 'fail' }], 'no instance has met it yet')
})

t.test('without DATABASE_URL it makes neither a folder nor a secret nor a database', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data')
  const { of, exitCode } = await doctor({ NODE_ENV: 'test', BCRYPT_COST: '4', DATA_DIR: dataDir })
  t.equal(exitCode, 0)
  t.match(of('database'), [{ status: 'warn', found: /no embedded PostgreSQL/ }])
  t.match(of('DATA_DIR'), [{ status: 'warn', found: /not there yet/ }])
  t.notOk(existsSync(dataDir))
})

t.test('a DATA_DIR or a kept secret that others can read is a failure', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data')
  const env = { NODE_ENV: 'test', BCRYPT_COST: '4', DATA_DIR: dataDir }
  mkdirSync(dataDir)
  chmodSync(dataDir, 0o755)
  t.match((await doctor(env)).of('DATA_DIR'), [{ status: 'fail', found: /0755/, advice: `chmod 700 ${dataDir}` }])
  chmodSync(dataDir, 0o700)
  t.match((await doctor(env)).of('DATA_DIR'), [{ status: 'ok', found: /0700/ }])
  writeFileSync(join(dataDir, 'auth-secret'), newSecret())
  chmodSync(join(dataDir, 'auth-secret'), 0o644)
  t.match((await doctor(env)).of('DATA_DIR'), [{ status: 'fail', advice: /^chmod 600 / }])
})

t.test('what production would refuse, or leave open, is to be looked at', async (t) => {
  const databaseUrl = `postgres://postern:x@127.0.0.1:${await freePort()}/postern`
  const sample = 'change-me-0123456789-abcdefghijklmnop'
  const weak = await doctor({
    ...settingsFor(databaseUrl),
    NODE_ENV: 'development',
    BCRYPT_COST: '10',
    AUTH_SECRET: sample,
    JWT_SECRET: sample,
    METRICS_TOKEN: 'short',
    RATE_LIMIT_LOGIN: 'off',
    RATE_LIMIT_SINGUP: '1/1',
    ISSUER: 'https://example.com/auth'
  })
  t.match(weak.of('settings'), [
    { status: 'ok' },
    { status: 'warn', found: /RATE_LIMIT_SINGUP/, advice: /RATE_LIMIT_SIGNUP/ }
  ])
  t.match(weak.of('environment'), [{ status: 'warn' }])
  t.match(
    weak.of('secrets').map(({ found }) => found),
    [
      /^AUTH_SECRET is a sample/,
      /^JWT_SECRET is a sample/,
      /^METRICS_TOKEN is shorter/,
      /^JWT_SECRET is the same as AUTH_SECRET/
    ]
  )
  t.match(weak.of('rate limits'), [{ status: 'warn', found: 'off: login' }])
  t.notMatch(JSON.stringify(weak.findings), sample)
  const open = await doctor({
    ...settingsFor(databaseUrl),
    NODE_ENV: 'production',
    BCRYPT_COST: '10',
    ISSUER: 'https://example.com/auth',
    DOCS: 'on'
  })
  for (const check of ['proxy trust', 'metrics', 'docs']) t.match(open.of(check), [{ status: 'warn' }], check)
  const closed = await doctor({
    ...settingsFor(databaseUrl),
    NODE_ENV: 'production',
    BCRYPT_COST: '10',
    ISSUER: 'https://example.com/auth',
    TRUST_PROXY: '10.0.0.1',
    METRICS_TOKEN: newSecret()
  })
  for (const check of ['environment', 'secrets', 'proxy trust', 'rate limits', 'metrics', 'docs']) {
    t.match(closed.of(check), [{ status: 'ok' }], check)
  }
})

t.test('a default ISSUER that does not go with PORT is to be looked at', async (t) => {
  const env = settingsFor(`postgres://postern:x@127.0.0.1:${await freePort()}/postern`)
  const other = await doctor({ ...env, PORT: '4000' })
  t.match(other.of('issuer'), [{ status: 'warn', advice: 'set ISSUER=http://localhost:4000/auth' }])
  for (const fitting of [{ PORT: '3000' }, { PORT: '0' }, { PORT: '4000', ISSUER: 'http://localhost:8080/auth' }]) {
    t.strictSame((await doctor({ ...env, ...fitting })).of('issuer'), [])
  }
})

t.test('the advised bcrypt cost is the one nearest to 250 ms, and never below 10 or above 15', async (t) => {
  t.strictSame(adviseCost(12, 250), { cost: 12, ms: 250 })
  t.strictSame(adviseCost(12, 60), { cost: 14, ms: 240 })
  t.strictSame(adviseCost(12, 1000), { cost: 10, ms: 250 })
  t.equal(adviseCost(10, 4000).cost, 10)
  t.equal(adviseCost(4, 0.01).cost, 15)
  const judged = (cost: number, ms: number) => judgeHashing(cost, ms, adviseCost(cost, ms))
  t.match(judged(12, 260), { status: 'ok', found: 'one hash at cost 12 takes 260 ms of a core of this machine' })
  t.match(judged(12, 130), { status: 'ok', found: /cost 13 would take about 260 ms/ })
  t.match(judged(10, 60), { status: 'warn', advice: 'set BCRYPT_COST=12: about 240 ms' })
  t.match(judged(14, 1000), {
    status: 'warn',
    found: /few logins a second/,
    advice: 'set BCRYPT_COST=12: about 250 ms'
  })
  t.match((await doctor({ ...settingsFor('postgres://127.0.0.1:1/a') })).of('bcrypt'), [
    { found: /^one hash at cost 4 takes [\d.]+ ms/ }
  ])
})

t.test('the clock is compared with that of the database, as exactly as the way there allows', async (t) => {
  const sql = connect(await createDatabase(t), 1)
  t.teardown(() => sql.end())
  const { aheadMs } = await inspectTime(sql as never, () => Date.now() - 60_000)
  t.ok(aheadMs > 55_000 && aheadMs < 65_000, String(aheadMs))
  t.match(judgeClock({ aheadMs: 6000, roundTripMs: 1 }), { status: 'fail', found: /6\.000 s ahead of/, advice: /NTP/ })
  t.match(judgeClock({ aheadMs: -2000, roundTripMs: 1 }), { status: 'warn', found: /2\.000 s behind/ })
  t.match(judgeClock({ aheadMs: 900, roundTripMs: 1 }), { status: 'ok' })
  t.match(judgeClock({ aheadMs: 6000, roundTripMs: 12_000 }), { status: 'ok' })
})

t.test('a server that is too old, a standby, a superuser and a bare connection are told', async (t) => {
  const time = { aheadMs: 0, roundTripMs: 1 }
  const server = {
    version: '17.2',
    versionNumber: 170_002,
    encoding: 'UTF8',
    database: 'postern',
    role: 'postern',
    superuser: false,
    standby: false,
    remote: true,
    encrypted: true,
    pooled: false
  }
  t.match(judgeServer(server, time), { status: 'ok' })
  t.match(judgeServer(server, { ...time, roundTripMs: 60 }), { status: 'warn' })
  for (const fault of [{ versionNumber: 130_012 }, { encoding: 'LATIN1' }, { standby: true }]) {
    t.match(judgeServer({ ...server, ...fault }, time), { status: 'fail' })
  }
  t.strictSame(judgeConnection(server, true), [])
  t.match(judgeConnection({ ...server, superuser: true }, false), [{ status: 'warn', found: /superuser/ }])
  t.match(judgeConnection({ ...server, encrypted: false }, true), [{ status: 'warn', advice: /sslmode=verify-full/ }])
  t.strictSame(judgeConnection({ ...server, encrypted: false, remote: false }, true), [])
})

t.test('postern doctor refuses arguments that mean nothing with one line', async (t) => {
  for (const [args, message] of [
    [['--through', 'example.com'], /not a URL such as/],
    [['--through', 'https://example.com', '--protected', 'api'], /not a path such as/],
    [['--protected', '/api/x'], /--protected needs --through/]
  ] as const) {
    const { ended, output } = postern(t, ['doctor', ...args], {})
    t.equal(await ended, 64)
    t.match(output(), { stdout: '', stderr: message })
    t.match(output().stderr, /^postern: [^\n]+\n$/)
  }
})
