/** Against a server that speaks wrongly, late, or not at all. What needs a real Redis is in test/redis. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { REDIS_TIMING } from '../../src/plugins/rate-limit/redis/redis-counts.js'
import { createLimited, inTurn } from '../fixtures/attempts.js'
import { counting, createFakeRedis, type Respond } from '../fixtures/fake-redis.js'
import { untilMode } from '../fixtures/redis.js'

const FIVE_PASS = [204, 204, 204, 204, 204, 429]
const isAttempt = ([, , , key]: string[]) => key?.startsWith('postern:login:')

const WRONG: Record<string, { respond: Respond; reason: string | RegExp }> = {
  'says nothing': { respond: () => undefined, reason: 'did not answer in time' },
  'closes the connection': {
    respond: (_parts, socket) => void socket.destroy(),
    reason: /^(?:closed the connection|ECONNRESET)$/
  },
  'closes the connection within an answer': {
    respond: (_parts, socket) => void socket.end('*3\r\n:1'),
    reason: 'closed the connection'
  },
  'speaks HTTP': { respond: () => 'HTTP/1.1 400 Bad Request\r\n\r\n', reason: 'does not speak its protocol' },
  'is loading': { respond: () => '-LOADING Redis is loading the dataset\r\n', reason: 'EVALSHA answered LOADING' },
  'never knows the script': { respond: () => '-NOSCRIPT No matching script.\r\n', reason: 'EVAL answered NOSCRIPT' },
  'is in a cluster': { respond: () => '-MOVED 1 10.0.0.1:6379\r\n', reason: 'EVALSHA answered MOVED' },
  ...Object.fromEntries(
    [
      '+OK',
      ':1',
      '$-1',
      '*-1',
      '*0',
      '*2\r\n:1\r\n:1',
      '*3\r\n:1\r\n:0\r\n:1',
      '*3\r\n:1\r\n:1\r\n:-1',
      '*3\r\n:1\r\n+1\r\n:1',
      '*3\r\n:1\r\n:1\r\n:60001',
      '*4\r\n:1\r\n:1\r\n:1\r\n:1'
    ].map((answer) => [
      `answers ${JSON.stringify(answer)}`,
      { respond: () => `${answer}\r\n`, reason: 'answered something else than a count' }
    ])
  )
}

t.test(
  'a server that speaks wrongly, or not at all, is away: every attempt is counted, and one line tells it',
  async (t) => {
    for (const [name, { respond, reason }] of Object.entries(WRONG)) {
      const { url } = await createFakeRedis(t, respond)
      const limited = await createLimited(t, url, { redisTiming: REDIS_TIMING })
      t.strictSame(await inTurn(limited, 6), FIVE_PASS, name)
      t.match(limited.modes(), [{ level: 40, redis: `${url}/0`, reason }], name)
      t.equal(limited.modes().length, 1, name)
      t.match(limited.app.limiter.describe(), /counted by this instance alone/)
      await limited.app.close()
    }
  }
)

t.test('the same in the middle of it: what had been counted is known, and what was under way is counted', async (t) => {
  for (const [name, { respond, reason }] of Object.entries(WRONG)) {
    const { url, respond: from } = await createFakeRedis(t)
    const limited = await createLimited(t, url)
    t.strictSame(await inTurn(limited, 2), [204, 204])
    from(respond)
    const statuses = await Promise.all(Array.from({ length: 20 }, () => limited.attempt()))
    t.equal(statuses.filter((status) => status === 204).length, 3, name)
    t.equal(statuses.filter((status) => status === 429).length, 17, name)
    t.match(limited.modes(), [{ level: 30 }, { level: 40, reason }], name)
    await limited.app.close()
  }
})

t.test('an answer that nobody asked for ends the connection, also behind a good one', async (t) => {
  const { url, respond, commands } = await createFakeRedis(t, () => '*3\r\n:1\r\n:1\r\n:1\r\n:1\r\n')
  const limited = await createLimited(t, url, { redisTiming: { everyMs: 20 } })
  t.equal(limited.app.limiter.mode(), 'degraded')
  t.match(limited.modes(), [{ level: 40, reason: 'does not speak its protocol' }])
  respond(counting())
  await untilMode('shared', limited)
  t.strictSame(await inTurn(limited, 6), FIVE_PASS)
  t.ok(commands.some(isAttempt))
})

t.test('while it is away an attempt sends nothing, queues nothing and connects to nothing', async (t) => {
  const { url, commands, connections, down } = await createFakeRedis(t)
  const limited = await createLimited(t, url, { redisTiming: { everyMs: 3_600_000 } })
  await limited.attempt()
  await down()
  await untilMode('degraded', limited)
  const before = { commands: commands.length, ...connections() }
  t.strictSame(await inTurn(limited, 5), [204, 204, 204, 204, 429])
  await Promise.all(Array.from({ length: 500 }, () => limited.attempt('refresh')))
  t.strictSame({ commands: commands.length, ...connections() }, before)
})

t.test('what is not there at first, or goes, is found when it is there, by one connection at a time', async (t) => {
  const { url, commands, connections, down, up } = await createFakeRedis(t)
  await down()
  const limited = await createLimited(t, url, { redisTiming: { everyMs: 20 } })
  t.match(limited.modes(), [{ level: 40, reason: 'ECONNREFUSED' }])
  t.strictSame(await inTurn(limited, 2), [204, 204])
  for (const round of [1, 2]) {
    await up()
    await untilMode('shared', limited)
    t.strictSame(connections(), { made: round, open: 1 })
    t.strictSame({ ...limited.app.limiter.changes() }, { shared: round, degraded: round - 1 })
    await down()
    await untilMode('degraded', limited)
  }
  await up()
  await untilMode('shared', limited)
  t.strictSame(await inTurn(limited, 4), [204, 204, 204, 429])
  t.match(commands.filter(isAttempt)[0]?.slice(5, 7), ['2', '2'], 'it says what was missed')
  t.equal(limited.modes().length, 6)
})

t.test('it finds out that Redis is gone although nobody makes an attempt', async (t) => {
  const { url, respond } = await createFakeRedis(t)
  const limited = await createLimited(t, url, { redisTiming: { everyMs: 20, answerMs: 1500, returnMs: 1500 } })
  respond(() => undefined)
  await untilMode('degraded', limited)
  respond(counting())
  await untilMode('shared', limited)
  t.strictSame(await inTurn(limited, 6), FIVE_PASS)
})

t.test('a script that the server does not have is sent, and the attempt counted once', async (t) => {
  const count = counting()
  let known = false
  const { url, commands } = await createFakeRedis(t, (parts, socket) => {
    if (parts[0] === 'EVALSHA' && !known) return '-NOSCRIPT No matching script. Please use EVAL.\r\n'
    known ||= parts[0] === 'EVAL'
    return count(parts, socket)
  })
  const limited = await createLimited(t, url)
  t.equal(limited.app.limiter.mode(), 'shared')
  known = false
  t.strictSame(await inTurn(limited, 6), FIVE_PASS)
  const names = commands.filter((parts) => isAttempt(parts)).map(([name]) => name)
  t.strictSame(names, ['EVALSHA', 'EVAL', 'EVALSHA', 'EVALSHA', 'EVALSHA', 'EVALSHA', 'EVALSHA'])
})

t.test("an attempt says until when it may be counted, by the server's clock, wherever that stands", async (t) => {
  for (const aheadMs of [0, 3_600_000, -3_600_000]) {
    const { url, commands } = await createFakeRedis(t, counting({ aheadMs }))
    const limited = await createLimited(t, url)
    const sentAt = Date.now() + aheadMs
    await limited.attempt()
    const until = Number(commands.find(isAttempt)?.[8])
    t.ok(until > sentAt && until < sentAt + 30_000, `${aheadMs}: ${until - sentAt} ms`)
  }
})

t.test('an attempt that the server got too late is counted here, and reported by the next', async (t) => {
  const { url, respond, commands } = await createFakeRedis(t)
  const limited = await createLimited(t, url, { redisTiming: { everyMs: 20, answerMs: 1500, returnMs: 1500 } })
  respond(([, , , key = ''], socket) => {
    if (key === 'postern:probe') return counting()(['EVALSHA', '', '', key, '', '0', '0', '1000'], socket)
    return `*1\r\n:${Date.now()}\r\n`
  })
  t.equal(await limited.attempt(), 204)
  t.match(limited.modes()[1], { level: 40, reason: 'was reached too late' })
  respond(counting())
  await untilMode('shared', limited)
  t.equal(await limited.attempt(), 204)
  t.match(commands.findLast(isAttempt)?.slice(5, 7), ['1', '1'])
})

t.test('user, password and database are said first, and the password is in no line of the log', async (t) => {
  const log: string[] = []
  const { url, commands, respond } = await createFakeRedis(t)
  const redisUrl = `${url.replace('//', '//ada:c%40nary@')}/7`
  const limited = await createLimited(t, redisUrl, { log, redisTiming: { everyMs: 20 } })
  t.match(commands, [['AUTH', 'ada', 'c@nary'], ['SELECT', '7'], [/^EVAL/]])
  respond(([name, ...args]) => `-ERR unknown command '${name}', with args beginning with: ${args.join(' ')}\r\n`)
  await untilMode('degraded', limited)
  for (let tries = 0; !limited.app.limiter.describe().includes('AUTH answered ERR'); tries += 1) {
    if (tries > 500) throw new Error(limited.app.limiter.describe())
    await sleep(10)
  }
  t.notMatch(log.join('') + limited.app.limiter.describe(), /c@nary|c%40nary/)
  t.match(log.join(''), /EVALSHA answered ERR/)
})

t.test('a password alone is for the default user', async (t) => {
  const { url, commands } = await createFakeRedis(t)
  await createLimited(t, url.replace('//', '//:secret@'))
  t.strictSame(commands[0], ['AUTH', 'secret'])
  t.match(commands[1], [/^EVAL/])
})

t.test('closing ends the connection, and is no change of mode', async (t) => {
  const { url, connections } = await createFakeRedis(t)
  const limited = await createLimited(t, url, { redisTiming: { everyMs: 20 } })
  await limited.app.close()
  for (let tries = 0; connections().open > 0; tries += 1) {
    if (tries > 500) throw new Error('still open')
    await sleep(10)
  }
  await sleep(100)
  t.strictSame(connections(), { made: 1, open: 0 })
  t.equal(limited.modes().length, 1)
})

t.test('what an attempt may wait is below 100 ms, and a Redis that is back is found within 5 s', async (t) => {
  const { answerMs, returnMs, connectMs, everyMs } = REDIS_TIMING
  t.ok(answerMs < 100)
  // One look that has just begun in vain, the time between, and the look that finds it.
  t.ok(2 * (connectMs + returnMs) + everyMs < 5000)
})
