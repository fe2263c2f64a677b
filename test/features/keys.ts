import t from 'tap'
import { createApp, newUser } from '../fixtures/app.js'
import { createTestClock } from '../fixtures/clock.js'
import { failureOf } from '../fixtures/database.js'
import { beside, instances, keyEvents, kidIn, kidOf, states, tokenOf } from '../fixtures/keys.js'
import { unlimited } from '../fixtures/sessions.js'
import { verdict } from '../fixtures/tokens.js'

const DAY_MS = 86_400_000

t.test(
  'three instances that start at once make one current and one next key, also when their clocks differ',
  async (t) => {
    const clocks = ['0ms', '1500ms', '-1500ms'].map((offset) => {
      const clock = createTestClock()
      clock.advance(offset)
      return clock
    })
    for (const each of [clocks, [undefined, undefined, undefined]]) {
      const apps = await instances(
        t,
        each.map((clock) => (clock ? { clock } : {}))
      )
      const [one] = apps as [(typeof apps)[0]]
      for (const { app } of apps) await app.keys.tick()
      t.strictSame(await states(one), { current: 1, next: 1 })
      t.equal((await keyEvents(one)).filter(({ type }) => type === 'key_created').length, 2)
      t.equal(new Set(apps.map(({ app }) => app.keys.current().kid)).size, 1)
      const tokens = await Promise.all(apps.map(tokenOf))
      for (const app of apps) {
        t.strictSame(await Promise.all(tokens.map((token) => verdict(app, token))), ['good', 'good', 'good'])
      }
    }
  }
)

t.test('a later start makes no key', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const kids = (await app.app.keys.list()).map(({ kid }) => kid)
  const other = await beside(t, app)
  t.strictSame(
    (await other.app.keys.list()).map(({ kid }) => kid),
    kids
  )
  t.equal((await keyEvents(app)).length, 2)
})

t.test('the next key is published from the beginning, and signs when KEY_ROTATION is over', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const [first, second] = [await kidOf(app, 'current'), await kidOf(app, 'next')]
  t.strictSame(
    app.app.keys
      .jwks()
      .keys.map(({ kid }) => kid)
      .sort(),
    [first, second].sort()
  )
  const next = (await app.app.keys.list()).find(({ kid }) => kid === second)
  t.equal(Number(next?.activeAt) - Number(next?.createdAt), 90 * DAY_MS)

  app.clock.advance('89d')
  await app.app.keys.tick()
  t.equal(kidIn(await tokenOf(app)), first)
  app.clock.advance('25h')
  t.equal(kidIn(await tokenOf(app)), second, 'at once, whether or not somebody has looked')
  await app.app.keys.tick()
  t.strictSame(await states(app), { previous: 1, current: 1, next: 1 })
  t.match((await keyEvents(app)).at(-2), { type: 'key_rotated', success: true, details: { from: first, to: second } })
  t.match((await keyEvents(app)).at(-1), { type: 'key_created', details: { kid: await kidOf(app, 'next') } })
})

t.test('a previous key verifies until the last token that it signed has expired, and then retires', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const { keys } = app.app
  // Far beyond what was covered at the start: whoever signs moves the end of its key ahead.
  for (let day = 0; day < 4; day += 1) {
    app.clock.advance('20d')
    await keys.tick()
  }
  const first = await kidOf(app, 'current')
  const last = await tokenOf(app)
  t.equal(kidIn(last), first)
  await keys.rotate()
  t.equal(await verdict(app, last), 'good')
  app.clock.advance('1439m')
  await keys.tick()
  t.equal(await verdict(app, last), 'good', 'a minute before its end')
  t.ok(
    keys.jwks().keys.some(({ kid }) => kid === first),
    'for the verifiers, too'
  )
  app.clock.advance('2m')
  t.equal(await verdict(app, last), 'token_expired', 'the key is there still: the reason is the right one')
  app.clock.advance('10m')
  await keys.tick()
  t.equal(await verdict(app, last), 'unknown_key')
  t.equal((await keys.list()).find(({ kid }) => kid === first)?.state, 'retired')
  t.notOk(keys.jwks().keys.some(({ kid }) => kid === first))
})

t.test('a rotation before its time is 409 key_not_ready, unless it is forced', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const { keys } = app.app
  const [first, second] = [await kidOf(app, 'current'), await kidOf(app, 'next')]
  await t.rejects(keys.rotate(), { code: 'key_not_ready', status: 409, message: /published long enough at 20.+Z/ })
  app.clock.advance('23h')
  await t.rejects(keys.rotate(), { code: 'key_not_ready' })
  t.equal(keys.current().kid, first)
  t.equal((await keyEvents(app)).length, 2, 'a refused rotation leaves nothing')
  app.clock.advance('1h')
  const rotation = await keys.rotate()
  t.match(rotation, { current: { kid: second, state: 'current' }, previous: { kid: first, state: 'previous' } })
  t.match(rotation.next, { state: 'next' })
  t.equal(keys.current().kid, second)

  await t.rejects(keys.rotate(), { code: 'key_not_ready' }, 'the one after it has only just been published')
  t.match(await keys.rotate({ force: true }), { current: { kid: rotation.next?.kid }, previous: { kid: second } })
  t.strictSame(await states(app), { previous: 2, current: 1, next: 1 })
})

t.test('of rotations that are asked for at once one takes place', async (t) => {
  const apps = await instances(t, [{}, {}])
  const [one] = apps as [(typeof apps)[0]]
  one.clock.advance('25h')
  const outcomes = await Promise.all([...apps, ...apps].map(({ app }) => failureOf(app.keys.rotate())))
  t.strictSame(outcomes.sort(), ['key_not_ready', 'key_not_ready', 'key_not_ready', 'no failure'])
  t.strictSame(await states(one), { previous: 1, current: 1, next: 1 })
})

t.test(
  'an instance whose clock is behind goes on signing when another has rotated, and accepts the new key',
  async (t) => {
    const behind = createTestClock()
    const apps = await instances(t, [{}, { clock: behind }])
    const [ahead, late] = apps as [(typeof apps)[0], (typeof apps)[0]]
    const first = await kidOf(ahead, 'current')
    const [next] = (await ahead.app.keys.list()).filter(({ state }) => state === 'next')
    const untilTurn = Number(next?.activeAt) - ahead.clock.now()
    ahead.clock.advance(`${untilTurn + 2000}ms`)
    behind.advance(`${untilTurn - 20_000}ms`)
    for (const { app } of [ahead, late, ahead, late]) await app.keys.tick()
    const tokens = [await tokenOf(ahead), await tokenOf(late)]
    t.strictSame(tokens.map(kidIn), [next?.kid, first])
    // The times in a token are judged with the leeway of the clocks; its key is known to both.
    behind.advance('19s')
    for (const app of apps) {
      t.strictSame(await Promise.all(tokens.map((token) => verdict(app, token))), ['good', 'good'])
    }
    await late.app.keys.tick()
    t.equal(late.app.keys.current().kid, first, 'a second before its turn, and three after the others')
    behind.advance('30s')
    await late.app.keys.tick()
    t.equal(late.app.keys.current().kid, next?.kid)
    t.strictSame(await states(ahead), { previous: 1, current: 1, next: 1 })
  }
)

t.test('after a long rest the key that was due signs, and there is a next one again', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const second = await kidOf(app, 'next')
  app.clock.advance('400d')
  const later = await beside(t, app)
  t.equal(later.app.keys.current().kid, second)
  t.strictSame(await states(later), { retired: 1, current: 1, next: 1 })
  t.equal(await verdict(later, await tokenOf(later)), 'good')
  await t.rejects(later.app.keys.rotate(), { code: 'key_not_ready' })
})

t.test(
  'a shorter KEY_ROTATION brings the turn forward, never before the next key was published long enough',
  async (t) => {
    const app = await createApp(t, { config: unlimited })
    const second = await kidOf(app, 'next')
    const turnOf = async (seconds: number) => {
      const other = await beside(t, app, { config: { keyRotationSeconds: seconds } })
      const next = (await other.app.keys.list()).find(({ state }) => state === 'next')
      t.equal(next?.kid, second)
      return (Number(next?.activeAt) - Number(next?.createdAt)) / DAY_MS
    }
    t.equal(await turnOf(30 * 86_400), 30)
    t.equal(await turnOf(3600), 1)
    t.equal(await turnOf(120 * 86_400), 120)
  }
)

t.test('a key that is revoked is followed by the next one at once, and another is made', async (t) => {
  const apps = await instances(t, [{}, {}])
  const [one, two] = apps as [(typeof apps)[0], (typeof apps)[0]]
  const [first, second] = [await kidOf(one, 'current'), await kidOf(one, 'next')]
  const token = await tokenOf(one)
  t.match(await one.app.keys.revoke(first), { kid: first, state: 'revoked' })
  t.equal(one.app.keys.current().kid, second)
  t.equal(await verdict(one, token), 'unknown_key')
  t.notOk(one.app.keys.jwks().keys.some(({ kid }) => kid === first))
  await two.app.keys.tick()
  t.equal(two.app.keys.current().kid, second)
  t.equal(await verdict(two, token), 'unknown_key')
  t.strictSame(await states(one), { revoked: 1, current: 1, next: 1 })
  const { status } = await one.http('GET', '/auth/me', { token: (await newUser(two.http)).token })
  t.equal(status, 200, 'life goes on')

  await one.app.keys.revoke(first)
  await t.rejects(one.app.keys.revoke('unknown'), { code: 'not_found' })
  const events = await keyEvents(one)
  t.strictSame(
    events.filter(({ type }) => type === 'key_revoked').map(({ details }) => details),
    [{ kid: first }]
  )
  t.ok(events.every(({ success, user_id, ip_address }) => success && user_id === null && ip_address === null))
})

t.test('a next key that is revoked never signs, and its successor is published long enough, too', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const second = await kidOf(app, 'next')
  app.clock.advance('89d')
  await app.app.keys.revoke(second)
  const next = (await app.app.keys.list()).find(({ state }) => state === 'next')
  t.not(next?.kid, second)
  t.equal(Number(next?.activeAt) - Number(next?.createdAt), DAY_MS)
  app.clock.advance('2d')
  await app.app.keys.tick()
  t.equal(app.app.keys.current().kid, next?.kid)
})

t.test('where no key is left that may sign, two new ones are made', async (t) => {
  const app = await createApp(t, { config: unlimited })
  await app.sql`update postern.signing_keys set revoked_at = now()`
  await app.app.keys.tick()
  t.strictSame(await states(app), { revoked: 2, current: 1, next: 1 })
  t.equal(await verdict(app, await tokenOf(app)), 'good')
})

t.test('what happens to keys is in the trail, and nothing secret with it', async (t) => {
  const app = await createApp(t, { config: unlimited })
  await app.app.keys.rotate({ force: true })
  const events = await keyEvents(app)
  t.strictSame(
    events.map(({ type }) => type),
    ['key_created', 'key_created', 'key_rotated', 'key_created']
  )
  for (const { details } of events) {
    t.strictSame(
      Object.keys(details).filter((name) => !['kid', 'algorithm', 'active_at', 'from', 'to'].includes(name)),
      []
    )
  }
})
