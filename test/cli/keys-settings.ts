import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { keysCommand, service } from '../fixtures/keys-command.js'
import { createDatabase } from '../fixtures/postgres.js'
import { postern, settingsFor } from '../fixtures/process.js'

const SECRET = 'uV3yQ8mZk2Rr7Xb1Nd5Tf9Lc4Wp6Gs0Hj'

t.test('under HS256 there is nothing to rotate and nothing to export', async (t) => {
  const { run } = await service(t, SECRET)
  t.match(await run('rotate', '--now'), {
    code: 1,
    stderr: 'postern: JWT_SECRET signs: change that setting instead.\n'
  })
  t.match(await run('export'), { code: 0, stdout: '{"keys":[]}\n', stderr: /nothing to export/ })
  t.match((await run('list')).stdout, /HS256 +current/)
})

t.test('a wrong AUTH_SECRET rotates nothing and exports nothing', async (t) => {
  const { app, env } = await service(t)
  const rows = async () => [
    ...(await app.sql`select kid, active_at, replaced_at from postern.signing_keys order by kid`)
  ]
  const before = await rows()
  const wrong = { ...env, AUTH_SECRET: `${env.AUTH_SECRET}x` }
  for (const args of [['rotate', '--now'], ['export']]) {
    const { code, stdout, stderr } = await keysCommand(t, args, wrong)
    t.equal(code, 1, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /AUTH_SECRET|there is no next key that could sign/)
  }
  t.equal((await keysCommand(t, ['list'], wrong)).code, 0)
  t.strictSame(await rows(), before)
})

t.test('before the first start there are no keys, and the command makes none', async (t) => {
  const env = settingsFor(await createDatabase(t))
  t.match(await keysCommand(t, ['list'], env), {
    code: 0,
    stdout: 'no keys yet: the first start of the service makes them\n'
  })
  for (const args of [['rotate', '--now'], ['export']]) {
    const { code, stderr } = await keysCommand(t, args, env)
    t.equal(code, 1)
    t.match(stderr, /^postern: there is no/)
  }
  t.strictSame(JSON.parse((await keysCommand(t, ['list', '--json'], env)).stdout), { keys: [] })
})

t.test('it works beside a running service with the embedded database', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pk-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const env = { NODE_ENV: 'test', PORT: '0', BCRYPT_COST: '4', DATA_DIR: dataDir }
  const running = postern(t, ['serve'], env)
  const { url = '' } = await running.line('ready')
  t.equal((await keysCommand(t, ['rotate', '--now'], env)).code, 0)
  const { stdout } = await keysCommand(t, ['export'], env)
  await sleep(1000)
  t.strictSame(JSON.parse(stdout), await (await fetch(`${url}/auth/.well-known/jwks.json`)).json())
  running.child.kill('SIGTERM')
  t.equal(await running.ended, 0)
})
