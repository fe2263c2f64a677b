import { sql } from 'drizzle-orm'
import t from 'tap'
import { databaseCheck, migrationsCheck, signingKeyCheck } from '../../src/features/health/checks.js'
import { createApp } from '../fixtures/app.js'
import { valueIn } from '../fixtures/exposition.js'
import { freePort } from '../fixtures/server.js'

t.test('livez says only that it is alive', async (t) => {
  const { http } = await createApp(t)
  const { status, body } = await http('GET', '/livez')
  t.equal(status, 200)
  t.strictSame(body, { status: 'ok' })
})

t.test('readyz says only that it is ready; with ?verbose it names each check', async (t) => {
  const { http } = await createApp(t)
  t.strictSame((await http('GET', '/readyz')).body, { status: 'ok' })
  const { status, body } = await http('GET', '/readyz?verbose')
  t.equal(status, 200)
  t.match(body.checks, { database: { ok: true }, migrations: { ok: true }, signing_key: { ok: true } })
})

t.test('readyz?verbose and the metrics say how attempts are counted; without its Redis it is ready', async (t) => {
  const modes = { local: undefined, degraded: `redis://:secret@127.0.0.1:${await freePort()}/2` }
  for (const [mode, redisUrl] of Object.entries(modes)) {
    const { http } = await createApp(t, { config: { redisUrl } })
    const { status, body, raw } = await http('GET', '/readyz?verbose')
    t.equal(status, 200)
    t.match(body.checks.rate_limits, { ok: true, detail: redisUrl ? /alone.*ECONNREFUSED/ : /by this instance/ })
    t.notMatch(raw, 'secret')
    const metrics = (await http('GET', '/metrics')).raw
    for (const one of ['local', 'shared', 'degraded']) {
      t.equal(valueIn(metrics, 'postern_rate_limit_mode', { mode: one }), Number(one === mode))
    }
  }
})

t.test('readyz takes no other parameter', async (t) => {
  const { http } = await createApp(t)
  for (const query of ['?x', '?verbose&verbose', '?Verbose']) {
    t.equal((await http('GET', `/readyz${query}`)).status, 400, query)
  }
})

t.test('a check that fails makes it not ready: 503 with Retry-After, and no name unless asked for', async (t) => {
  const { app, http } = await createApp(t)
  let ok = false
  app.health.addCheck('moon', () => ({ ok, detail: 'behind a cloud' }))
  const { status, headers, body } = await http('GET', '/readyz')
  t.equal(status, 503)
  t.match(String(headers['retry-after']), /^[1-9]/)
  t.match(body, { code: 'unavailable' })
  t.match(body.detail, '?verbose')
  t.notMatch(JSON.stringify(body), 'moon')
  t.match((await http('GET', '/readyz?verbose')).body.detail, 'moon: not ok, behind a cloud')
  ok = true
  t.equal((await http('GET', '/readyz')).status, 200)
})

t.test('while stopping it is alive, not ready, and asks clients to close their connections', async (t) => {
  const { app, http } = await createApp(t)
  app.health.stop()
  t.equal((await http('GET', '/readyz')).status, 503)
  const { status, headers } = await http('GET', '/livez')
  t.equal(status, 200)
  t.equal(headers.connection, 'close')
})

t.test('a database that is away is not ready, and one that is merely busy is', async (t) => {
  const { app, http } = await createApp(t)
  t.equal(databaseCheck(() => 'unavailable')().ok, false)
  t.equal(databaseCheck(() => 'starting')().ok, false)
  const busy = Array.from({ length: 20 }, () => app.db.execute(sql`select pg_sleep(0.4)`))
  t.equal((await http('GET', '/readyz')).status, 200)
  await Promise.all(busy)
})

t.test('migrations stay applied when the database goes away later', async (t) => {
  let state = 'starting'
  const check = migrationsCheck(() => state)
  const seen = ['starting', 'unavailable', 'ready', 'unavailable'].map((next) => {
    state = next
    return check().ok
  })
  t.strictSame(seen, [false, false, true, true])
})

t.test('without a signing key it is not ready', async (t) => {
  const missing = signingKeyCheck(() => {
    throw new Error('no key')
  })
  t.match(missing(), { ok: false })
  t.match(signingKeyCheck(() => ({}))(), { ok: true })
})
