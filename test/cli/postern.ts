import { spawn } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { weakness } from '../../src/lib/secret-strength.js'
import { version } from '../../src/lib/version.js'
import { createDatabase } from '../fixtures/postgres.js'
import { CLI, observe, postern, settingsFor } from '../fixtures/process.js'

t.test('postern secret prints a good secret and nothing else', async (t) => {
  const { ended, output } = postern(t, ['secret'], {})
  t.equal(await ended, 0)
  t.match(output().stdout, /^[A-Za-z0-9_-]{64}\n$/)
  t.equal(weakness(output().stdout.trim()), undefined)
  t.equal(output().stderr, '')
  const json = postern(t, ['secret', '--json'], {})
  t.equal(await json.ended, 0)
  const { secret } = JSON.parse(json.output().stdout)
  t.equal(weakness(secret), undefined)
})

t.test('postern --version prints the version; an unknown command is an error', async (t) => {
  const good = postern(t, ['--version'], {})
  t.equal(await good.ended, 0)
  t.equal(good.output().stdout.trim(), version)
  const bad = postern(t, ['srve'], {})
  t.equal(await bad.ended, 64)
  t.match(bad.output().stderr, /^postern: unknown command 'srve'\n/)
})

t.test('wrong settings end serve and migrate with 78, all named on standard error, no value of a secret', async (t) => {
  const env = { NODE_ENV: 'production', PORT: 'x', JWT_SECRET: 'canary-short', DATABASE_URL: 'canary://host' }
  for (const command of ['serve', 'migrate']) {
    const { ended, output } = postern(t, [command], env)
    t.equal(await ended, 78)
    for (const name of ['PORT', 'JWT_SECRET', 'DATABASE_URL', 'ISSUER', 'AUTH_SECRET']) t.match(output().stderr, name)
    t.match(output().stderr, 'for example: PORT=')
    t.notMatch(output().stderr + output().stdout, 'canary')
    t.notMatch(output().stderr, /\n\s+at /, 'no stack')
  }
})

t.test('a kept secret that is damaged or cannot be kept ends serve with 78, without showing it', async (t) => {
  const folder = t.testdir({ damaged: { 'auth-secret': 'canary\n' }, file: '' })
  for (const name of ['damaged', 'file']) {
    const { ended, output } = postern(t, ['serve'], { DATA_DIR: join(folder, name), PORT: '0' })
    t.equal(await ended, 78)
    t.match(output().stderr, 'AUTH_SECRET')
    t.notMatch(output().stderr + output().stdout, 'canary')
  }
})

t.test('postern migrate migrates an empty database, once', async (t) => {
  const env = settingsFor(await createDatabase(t, { empty: true }))
  const first = postern(t, ['migrate'], env)
  t.equal(await first.ended, 0)
  t.match(first.output().stdout, /^[1-9]\d* migrations applied\n$/)
  const second = postern(t, ['migrate'], env)
  t.equal(await second.ended, 0)
  t.equal(second.output().stdout, 'nothing to migrate\n')
  const third = postern(t, ['migrate', '--json'], env)
  t.equal(await third.ended, 0)
  t.strictSame(JSON.parse(third.output().stdout), { applied: 0 })
  t.equal(first.output().stderr + third.output().stderr, '', 'nothing is shown of the progress in a pipe')
})

t.test('postern migrate on a database that is away ends with 1 and a line without the password', async (t) => {
  const url = 'postgres://postern:canary@127.0.0.1:1/postern'
  const { ended, output } = postern(t, ['migrate'], settingsFor(url))
  t.equal(await ended, 1)
  t.match(output().stderr, /^postern: .+\n$/)
  t.notMatch(output().stderr, 'canary')
})

t.test('a reader that goes away before the end is no failure, and no stack', async (t) => {
  const line = '(sleep 1; "$0" "$1" secret; echo "ended with $?" >&2) | true'
  const { PATH = '' } = process.env
  const child = spawn('sh', ['-c', line, process.execPath, CLI], { env: { PATH }, stdio: ['ignore', 'pipe', 'pipe'] })
  const { ended, output } = observe(t, child)
  await ended
  t.equal(output().stderr, 'ended with 0\n')
})
