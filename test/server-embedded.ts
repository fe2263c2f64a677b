import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { postern } from './fixtures/process.js'

t.test('without DATABASE_URL it makes its database and its secret, once, and keeps both', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pt-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const env = { NODE_ENV: 'test', PORT: '0', BCRYPT_COST: '4', DATA_DIR: join(folder, 'data') }
  const secretFile = join(env.DATA_DIR, 'auth-secret')
  const body = JSON.stringify({ email: 'ada@example.com', password: 'Correct1horse' })
  const headers = { 'content-type': 'application/json' }

  const first = postern(t, ['serve'], env)
  const { url } = await first.line('ready')
  const making = (log: Record<string, unknown>[]) =>
    log.filter(({ msg }) => String(msg).startsWith('making the embedded'))
  t.match(making(first.log()), [{ folder: env.DATA_DIR }])
  t.equal(statSync(secretFile).mode & 0o777, 0o600)
  t.equal(statSync(env.DATA_DIR).mode & 0o777, 0o700)
  const secret = readFileSync(secretFile, 'utf8')
  t.equal((await fetch(`${url}/auth/signup`, { method: 'POST', body, headers })).status, 201)

  const second = postern(t, ['serve'], env)
  t.equal(await Promise.race([second.ended, sleep(10_000, 'too late', { ref: false })]), 78, 'a second one is refused')
  t.match(second.output().stderr, 'DATA_DIR')
  t.equal((await fetch(`${url}/readyz`)).status, 200, 'and the first one does not notice')

  first.child.kill('SIGTERM')
  t.equal(await first.ended, 0)
  t.notMatch(first.output().stdout, secret.trim())

  const again = postern(t, ['serve'], env)
  const { url: newUrl } = await again.line('ready')
  t.strictSame(making(again.log()), [])
  t.equal(readFileSync(secretFile, 'utf8'), secret)
  t.equal((await fetch(`${newUrl}/auth/login`, { method: 'POST', body, headers })).status, 200)
  again.child.kill('SIGTERM')
  t.equal(await again.ended, 0)
})
