import { createPublicKey } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { importJWK, type JWK, jwtVerify } from 'jose'
import t from 'tap'
import { keyEvents, kidOf, states, tokenOf } from '../fixtures/keys.js'
import { service } from '../fixtures/keys-command.js'
import { verdict } from '../fixtures/tokens.js'

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

t.test('list shows each key with its state and times, as a table and as JSON, and nothing secret', async (t) => {
  const { app, run } = await service(t)
  const { code, stdout, stderr } = await run('list', '--json')
  t.equal(code, 0)
  t.equal(stderr, '')
  const { keys } = JSON.parse(stdout)
  const [current, next] = [await kidOf(app, 'current'), await kidOf(app, 'next')]
  t.match(
    keys.sort((one: { active_at: string }, other: { active_at: string }) => (one.active_at < other.active_at ? -1 : 1)),
    [
      { kid: current, algorithm: 'ES256', state: 'current', created_at: TIME, active_at: TIME },
      { kid: next, algorithm: 'ES256', state: 'next', replaced_at: null, revoked_at: null }
    ]
  )
  const names = ['kid', 'algorithm', 'state', 'created_at', 'active_at', 'replaced_at', 'retires_at', 'revoked_at']
  for (const key of keys) t.strictSame(Object.keys(key), names)
  const table = (await run('list')).stdout
  t.match(table, /^KID +ALGORITHM +STATE +SIGNS FROM/)
  t.match(table, new RegExp(`^${current} +ES256 +current +\\d{4}-`, 'm'))
})

t.test('rotate is refused before its time, with the time and the way out, and changes nothing', async (t) => {
  const { app, run } = await service(t)
  const before = await kidOf(app, 'current')
  const { code, stdout, stderr } = await run('rotate')
  t.equal(code, 1)
  t.equal(stdout, '')
  t.match(stderr, /^postern: The next key is published long enough at \d{4}-.*Z\. .*--now/)
  t.equal(await kidOf(app, 'current'), before)
  t.equal((await keyEvents(app)).length, 2)
})

t.test('rotate --now prints its timeline, warns, and running instances follow within a second', async (t) => {
  const { app, run } = await service(t)
  const [first, second] = [await kidOf(app, 'current'), await kidOf(app, 'next')]
  const token = await tokenOf(app)
  const { code, stdout, stderr } = await run('rotate', '--now')
  t.equal(code, 0)
  const third = await kidOf(app, 'next')
  const lines = stdout.trimEnd().split('\n')
  t.match(lines[0], `now                       ${second} (ES256) signs`)
  t.match(lines[1], new RegExp(`^now +${third} \\(ES256\\) is published`))
  t.match(lines.slice(2).join('\n'), new RegExp(`^20\\S+Z  ${first} retires`, 'm'))
  t.match(lines.slice(2).join('\n'), /^20\S+Z {2}a rotation is possible again/m)
  t.match(lines.slice(2).join('\n'), new RegExp(`^20\\S+Z  ${third} signs`, 'm'))
  const times = lines.slice(2).map((line) => line.slice(0, 24))
  t.strictSame(times, [...times].sort())
  t.match(stderr, /^Warning: .* was published for \d+ s only, and KEY_PUBLISH_AHEAD promises 24h\./)
  await sleep(1000)
  t.equal(app.app.keys.current().kid, second)
  t.equal(await verdict(app, token), 'good')
  t.strictSame(await states(app), { previous: 1, current: 1, next: 1 })
  t.match((await keyEvents(app))[2], {
    type: 'key_rotated',
    success: true,
    user_id: null,
    details: { from: first, to: second }
  })
})

t.test(
  'rotate without --now rotates once the next key was published long enough, and warns of longer caches',
  async (t) => {
    const { app, run } = await service(t)
    await app.sql`update postern.signing_keys set created_at = created_at - interval '25 hours'`
    const { code, stdout, stderr } = await run('rotate', '--json')
    t.equal(code, 0)
    t.match(JSON.parse(stdout), {
      previous: { state: 'previous', retires_at: TIME },
      current: { state: 'current' },
      next: { state: 'next' }
    })
    t.match(stderr, /^Warning: whoever keeps the key set for longer than KEY_PUBLISH_AHEAD \(24h\)/)
  }
)

t.test('revoke withdraws a key, also one whose kid begins like an option, and says what it cannot reach', async (t) => {
  const { app, run } = await service(t)
  const first = await kidOf(app, 'current')
  const token = await tokenOf(app)
  const { code, stdout } = await run('revoke', first)
  t.equal(code, 0)
  t.match(stdout, `${first} is revoked`)
  t.match(stdout, /until they read the key set again/)
  await sleep(1000)
  t.equal(await verdict(app, token), 'unknown_key')
  t.equal(await verdict(app, await tokenOf(app)), 'good')
  t.match(JSON.parse((await run('revoke', first, '--json')).stdout), { key: { kid: first, state: 'revoked' } })
  t.equal((await keyEvents(app)).filter(({ type }) => type === 'key_revoked').length, 1)

  for (const kid of ['unknown', '-h0123456789']) {
    const { code, stderr } = await run('revoke', kid)
    t.equal(code, 1, kid)
    t.equal(stderr, 'postern: there is no such key: see `postern keys list`\n')
  }
})

t.test('export prints the public keys as the endpoint has them, or as PEM, never a private one', async (t) => {
  const { app, run } = await service(t)
  const { stdout } = await run('export')
  t.strictSame(JSON.parse(stdout), (await app.http('GET', '/auth/.well-known/jwks.json')).body)
  t.notOk(/"d"/.test(stdout))
  const key = JSON.parse(stdout).keys.find(({ kid }: JWK) => kid === app.app.keys.current().kid)
  await jwtVerify(await tokenOf(app), await importJWK(key))

  const pem = (await run('export', '--format', 'pem')).stdout
  t.notOk(/PRIVATE/.test(pem))
  const blocks = pem.match(/# ES256 \S+\n-----BEGIN PUBLIC KEY-----[^#]*/g) ?? []
  t.equal(blocks.length, 2)
  for (const block of blocks) t.equal(createPublicKey(block).asymmetricKeyType, 'ec')
  const { keys } = JSON.parse((await run('export', '--format', 'pem', '--json')).stdout)
  t.match(keys, Array(2).fill({ kid: /^[\w-]{43}$/, algorithm: 'ES256', pem: /^-----BEGIN PUBLIC KEY/ }))
})
