import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keptSecret } from '../../src/lib/kept-secret.js'

const module = new URL('../../src/lib/kept-secret.js', import.meta.url).href

t.test('the secret is made once and kept, in a file for its owner alone', async (t) => {
  const folder = join(t.testdir(), 'data')
  const secret = keptSecret(folder, 'secret')
  t.ok(Buffer.byteLength(secret) >= 32)
  t.equal(keptSecret(folder, 'secret'), secret)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.equal(statSync(join(folder, 'secret')).mode & 0o777, 0o600)
  t.strictSame(readdirSync(folder), ['secret'], 'nothing else is left behind')
})

t.test('a file that others could read is closed to them', async (t) => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'secret'), 'restored from a backup, by somebody\n')
  chmodSync(join(folder, 'secret'), 0o644)
  t.equal(keptSecret(folder, 'secret'), 'restored from a backup, by somebody')
  t.equal(statSync(join(folder, 'secret')).mode & 0o777, 0o600)
})

t.test('processes that come first at the same time get the same secret', async (t) => {
  const folder = join(t.testdir(), 'data')
  const code = `const { keptSecret } = await import('${module}'); process.stdout.write(keptSecret(process.argv[1], 'secret'))`
  const run = async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, folder])
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
    })
    await once(child, 'close')
    return text
  }
  const secrets = await Promise.all(Array.from({ length: 6 }, run))
  t.strictSame(new Set(secrets), new Set([readFileSync(join(folder, 'secret'), 'utf8').trim()]))
})
