import { setTimeout as sleep } from 'node:timers/promises'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { createTestClock } from '../fixtures/clock.js'
import { beside, instances, keyEvents, kidIn, kidOf, states, tokenOf } from '../fixtures/keys.js'
import type { App } from '../fixtures/sessions.js'
import { verdict } from '../fixtures/tokens.js'

interface Issued {
  token: string
  /** By the clock that the instances share. */
  endsAt: number
}

/** A verifier somewhere else that keeps the key set for as long as it was promised, and does not ask before. */
function createVerifier(app: App, keepSeconds: number) {
  let kept: Promise<JSONWebKeySet> | undefined
  let fetchedAt = Number.NEGATIVE_INFINITY
  return async (token: string): Promise<string> => {
    if (kept === undefined || app.clock.now() - fetchedAt > keepSeconds * 1000) {
      fetchedAt = app.clock.now()
      kept = app.http('GET', '/auth/.well-known/jwks.json').then(({ body }) => body)
    }
    const { issuer, audience } = app.config
    const options = { issuer, audience, typ: 'at+jwt', currentDate: new Date(app.clock.now()), clockTolerance: 5 }
    return await jwtVerify(token, createLocalJWKSet(await kept), options).then(
      () => 'good',
      (error) => String(error.code)
    )
  }
}

/** Issues and checks on every instance and elsewhere, again and again; returns every verdict that was not good. */
async function load(
  t: Test,
  apps: App[],
  keepSeconds: number,
  rounds: number,
  between: (round: number) => Promise<void>
) {
  const [one] = apps as [App]
  const ttlMs = one.config.accessTokenTtlSeconds * 1000
  const verifiers = apps.map((app) => createVerifier(app, keepSeconds))
  let alive: Issued[] = []
  let checks = 0
  const refused: string[] = []
  for (let round = 0; round < rounds; round += 1) {
    // The second in which a token ends is left out: the clock goes on while it is checked.
    alive = alive.filter(({ endsAt }) => endsAt > one.clock.now() + 1000)
    const moved = between(round)
    const tokens = await Promise.all(apps.map(tokenOf))
    const issued = tokens.map((token) => ({ token, endsAt: one.clock.now() + ttlMs }))
    alive.push(...issued)
    const sample = [...issued, ...alive.filter((_, index) => (index + round) % 7 === 0)]
    const looks = sample.flatMap(({ token }) => [
      ...apps.map((app) => verdict(app, token)),
      ...verifiers.map((verify) => verify(token))
    ])
    const verdicts = await Promise.all(looks)
    checks += verdicts.length
    refused.push(...verdicts.filter((one) => one !== 'good'))
    await moved
  }
  t.ok(checks > rounds * apps.length, `${checks} checks`)
  return refused
}

t.test('over many rotations under load not one good token is refused: two instances, time passed in', async (t) => {
  const config = { keyRotationSeconds: 2 * 86_400, keyPublishAheadSeconds: 86_400 }
  const apps = await instances(t, [{ config }, { config }])
  const [one] = apps as [App]
  const refused = await load(t, apps, config.keyPublishAheadSeconds, 90, async () => {
    one.clock.advance('4h')
    await Promise.all(apps.map(({ app }) => app.keys.tick()))
  })
  t.strictSame(refused, [])
  const rotations = (await keyEvents(one)).filter(({ type }) => type === 'key_rotated')
  t.equal(rotations.length, 7)
  t.match(await states(one), { current: 1, next: 1 })
})

t.test('and in real time, with lifetimes of seconds', async (t) => {
  const config = { keyRotationSeconds: 2, keyPublishAheadSeconds: 1, accessTokenTtlSeconds: 3 }
  const apps = await instances(t, [{ config }, { config }])
  const [one] = apps as [App]
  const refused = await load(t, apps, 0.5, 70, () => sleep(100))
  t.strictSame(refused, [])
  t.ok((await keyEvents(one)).filter(({ type }) => type === 'key_rotated').length >= 3)
})

t.test('a forced rotation refuses no token here, on either instance', async (t) => {
  const apps = await instances(t, [{}, {}])
  const [one] = apps as [App]
  const verdicts: string[] = []
  for (let round = 0; round < 8; round += 1) {
    const rotating = one.app.keys.rotate({ force: true })
    for (let turn = 0; turn < 20; turn += 1) {
      const tokens = await Promise.all(apps.map(tokenOf))
      verdicts.push(...(await Promise.all(apps.flatMap((app) => tokens.map((token) => verdict(app, token))))))
    }
    await rotating
  }
  t.strictSame([...new Set(verdicts)], ['good'])
})

t.test('another JWT_ALGORITHM takes its turn when it has been published long enough, and nobody is lost', async (t) => {
  const algorithms = ['ES256', 'EdDSA', 'RS256', 'ES256'] as const
  const [first] = (await instances(t, [{ config: { jwtAlgorithm: algorithms[0] } }])) as [App]
  let app = first
  for (const jwtAlgorithm of algorithms.slice(1)) {
    const old = await tokenOf(app)
    const changed = await beside(t, app, { config: { jwtAlgorithm } })
    t.equal(kidIn(await tokenOf(changed)), kidIn(old), 'the old key signs for now')
    const next = (await changed.app.keys.list()).find(({ state }) => state === 'next')
    t.equal(next?.algorithm, jwtAlgorithm)
    t.equal(changed.app.keys.jwks().keys.find(({ kid }) => kid === next?.kid)?.alg, jwtAlgorithm)
    changed.clock.advance('23h')
    const young = await tokenOf(changed)
    changed.clock.advance('61m')
    for (const each of [app, changed]) await each.app.keys.tick()
    t.equal(changed.app.keys.current().algorithm, jwtAlgorithm)
    const tokens = [young, await tokenOf(app), await tokenOf(changed)]
    for (const each of [app, changed]) {
      t.strictSame(await Promise.all(tokens.map((token) => verdict(each, token))), ['good', 'good', 'good'])
    }
    await app.app.close()
    app = changed
  }
  t.strictSame(await kidOf(app, 'current'), app.app.keys.current().kid)
})

t.test('a waiting key of another algorithm that may already sign on a clock ahead is left its turn', async (t) => {
  const [one] = (await instances(t, [{}])) as [App]
  const next = (await one.app.keys.list()).find(({ state }) => state === 'next')
  one.clock.advance(`${Number(next?.activeAt) - one.clock.now() - 30_000}ms`)
  const ahead = createTestClock()
  ahead.advance(`${one.clock.now() - ahead.now() + 40_000}ms`)
  const other = await beside(t, one, { clock: ahead })
  const token = await tokenOf(other)
  t.equal(kidIn(token), next?.kid)
  await beside(t, one, { config: { jwtAlgorithm: 'EdDSA' } })
  one.clock.advance('40s')
  t.equal(await verdict(one, token), 'good')
})
