import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { REDIS_TIMING } from '../../src/plugins/rate-limit/redis/redis-counts.js'
import { CLIENT, createLimited, inTurn, PATIENT } from '../fixtures/attempts.js'
import { createDelay } from '../fixtures/delay.js'
import { createRedis, type RedisServer, untilMode } from '../fixtures/redis.js'
import { freePort } from '../fixtures/server.js'

/** Longer than a command may be late. */
const LONG_MS = 1200

const KEY = `postern:login:${CLIENT}`

interface Fault {
  away(): unknown
  back(): unknown
  /** What the log says of it. */
  reason: RegExp
}

/** How Redis can fail, and how it comes back with what it had. */
const FAULTS: Record<string, (redis: RedisServer) => Fault> = {
  paused: ({ pause, resume }) => ({ away: pause, back: resume, reason: /^did not answer in time$/ }),
  full: ({ command }) => ({
    away: () => command('CONFIG', 'SET', 'maxmemory', '1'),
    back: () => command('CONFIG', 'SET', 'maxmemory', '0'),
    reason: /^EVAL(?:SHA)? answered OOM$/
  }),
  'read-only': ({ command }) => ({
    away: () => command('REPLICAOF', '127.0.0.1', '1'),
    back: () => command('REPLICAOF', 'NO', 'ONE'),
    reason: /^EVAL(?:SHA)? answered READONLY$/
  }),
  'killed, and empty when it is back': ({ kill, start }) => ({
    away: kill,
    back: start,
    reason: /^(?:closed the connection|ECONN\w+|EPIPE)$/
  })
}

/** Takes two instances through a fault, which the second one counts through. */
async function throughFault(t: Test, redisUrl: string, { away, back, reason }: Fault): Promise<void> {
  const [first, second] = [await createLimited(t, redisUrl), await createLimited(t, redisUrl)]
  t.strictSame(await inTurn(first, 2), [204, 204])
  t.strictSame(await inTurn(second, 1), [204])

  await away()
  t.strictSame(await inTurn(second, 3), [204, 204, 429], 'it knows of the three before')
  await untilMode('degraded', first, second)

  await back()
  await untilMode('shared', first, second)
  t.strictSame(await inTurn(second, 1), [429], 'what it counted alone is reported')
  t.strictSame(await inTurn(first, 1), [429], 'and so the others know it')

  t.match(second.modes(), [
    { level: 30, msg: 'rate limits are shared between instances' },
    { level: 40, msg: 'rate limits are counted by this instance alone, until Redis is back', reason },
    { level: 30, msg: 'rate limits are shared between instances' }
  ])
  t.equal(second.modes().length, 3, 'one line for each change')
  t.strictSame({ ...second.app.limiter.changes() }, { shared: 1, degraded: 1 })
}

for (const [name, faultOf] of Object.entries(FAULTS)) {
  t.test(`Redis ${name}: every attempt is counted, and no change gives a fresh allowance`, async (t) => {
    const redis = await createRedis(t)
    await throughFault(t, redis.url, faultOf(redis))
  })
}

t.test('Redis slow: every attempt is counted, and no change gives a fresh allowance', async (t) => {
  const redis = await createRedis(t)
  const { port, setMs } = await createDelay(t, redis.port)
  const fault = { away: () => setMs(2 * PATIENT.answerMs), back: () => setMs(0), reason: /^did not answer in time$/ }
  await throughFault(t, `redis://127.0.0.1:${port}`, fault)
})

t.test('no attempt waits for a Redis that does not answer, but those that find it out', async (t) => {
  const { url, pause } = await createRedis(t)
  const limited = await createLimited(t, url, { redisTiming: REDIS_TIMING })
  await untilMode('shared', limited)
  pause()
  const startedAt = performance.now()
  const first = await limited.attempt()
  const waitedMs = performance.now() - startedAt
  t.equal(first, 204)
  t.ok(REDIS_TIMING.answerMs < 100)
  // Ten times what is promised, for a machine that has other things to do.
  t.ok(waitedMs < 1000, `waited ${waitedMs.toFixed(1)} ms`)
  const late = setTimeout(() => t.fail('50 attempts take longer than one that waits'), 1000)
  for (let made = 0; made < 50; made += 1) await limited.attempt('refresh')
  clearTimeout(late)
})

t.test('Redis with another password: it is away, and the log has neither', async (t) => {
  const { port, command } = await createRedis(t, ['--requirepass', 'the-right-one'])
  const log: string[] = []
  const limited = await createLimited(t, `redis://:the-wrong-one@127.0.0.1:${port}`, { log })
  t.equal(limited.app.limiter.mode(), 'degraded')
  t.match(limited.app.limiter.describe(), /AUTH answered WRONGPASS/)
  t.strictSame(await inTurn(limited, 6), [204, 204, 204, 204, 204, 429])
  t.ok(log.length > 0)
  t.notMatch(log.join(''), /the-(?:right|wrong)-one/)
  t.match((await command('PING'))[0], /NOAUTH/)
})

t.test('of 50 attempts that are under way when Redis stops exactly 5 pass', async (t) => {
  for (const stop of ['pause', 'kill'] as const) {
    const redis = await createRedis(t)
    const limited = await createLimited(t, redis.url)
    if (stop === 'pause') redis.pause()
    const attempts = Array.from({ length: 50 }, () => limited.attempt())
    if (stop === 'kill') void redis.kill()
    const statuses = await Promise.all(attempts)
    t.equal(statuses.filter((status) => status === 204).length, 5, stop)
    t.equal(statuses.filter((status) => status === 429).length, 45, stop)
  }
})

t.test('a command that was given up is not counted when Redis comes to itself later', async (t) => {
  const { url, pause, resume, command } = await createRedis(t)
  const [first, second] = [await createLimited(t, url), await createLimited(t, url)]
  await second.attempt('signup')
  pause()
  t.strictSame(await Promise.all([first.attempt(), first.attempt(), first.attempt()]), [204, 204, 204])
  await sleep(LONG_MS)
  resume()
  await untilMode('shared', first, second)
  t.strictSame(await command('EXISTS', KEY), ['0'], 'the three were in its buffer')
  t.equal(await second.attempt(), 204)
  t.strictSame(await command('GET', KEY), ['1'])
  t.equal(await first.attempt(), 204)
  t.strictSame(await command('GET', KEY), ['5'], 'the three are reported once, and this one')
  t.strictSame([await first.attempt(), await second.attempt()], [429, 429])
})

t.test('what several instances counted alone is added up', async (t) => {
  const { url, kill, start, command } = await createRedis(t)
  const instances = await Promise.all([1, 2, 3].map(() => createLimited(t, url)))
  await kill()
  await untilMode('degraded', ...instances)
  for (const instance of instances) t.strictSame(await inTurn(instance, 2), [204, 204])
  await start()
  await untilMode('shared', ...instances)
  const statuses = []
  for (const instance of instances) statuses.push(...(await inTurn(instance, 1)))
  t.strictSame(statuses, [204, 429, 429])
  t.strictSame(await command('GET', KEY), ['9'])
})

t.test('a start without Redis counts alone and says so, and shares when Redis is there', async (t) => {
  const port = await freePort()
  const limited = await createLimited(t, `redis://127.0.0.1:${port}`)
  t.equal(limited.app.limiter.mode(), 'degraded')
  t.match(limited.modes(), [{ level: 40, reason: 'ECONNREFUSED' }])
  t.strictSame(await inTurn(limited, 2), [204, 204])
  const { command } = await createRedis(t, [], port)
  await untilMode('shared', limited)
  t.strictSame(await inTurn(limited, 4), [204, 204, 204, 429])
  t.strictSame(await command('GET', KEY), ['6'])
  t.equal(limited.modes().length, 2)
})

t.test('a Redis that comes and goes is told at each change, and counts on', async (t) => {
  const { url, pause, resume } = await createRedis(t)
  const limited = await createLimited(t, url)
  const statuses = []
  for (let times = 0; times < 3; times += 1) {
    statuses.push(await limited.attempt())
    pause()
    statuses.push(await limited.attempt())
    await untilMode('degraded', limited)
    await sleep(LONG_MS)
    resume()
    await untilMode('shared', limited)
  }
  t.strictSame(statuses, [204, 204, 204, 204, 204, 429])
  t.strictSame({ ...limited.app.limiter.changes() }, { shared: 3, degraded: 3 })
  t.equal(limited.modes().length, 7)
})
