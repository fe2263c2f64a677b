import t from 'tap'
import { memoryCounter } from '../../src/plugins/rate-limit/memory-counter.js'

t.test('a window counts up from its first attempt until it is over', async (t) => {
  let now = 1000
  const count = memoryCounter(60_000, () => now)
  t.strictSame(await count('a'), { used: 1, resetMs: 60_000 })
  now += 59_999
  t.strictSame(await count('a'), { used: 2, resetMs: 1 })
  now += 1
  t.strictSame(await count('a'), { used: 1, resetMs: 60_000 })
})

t.test('a clock that is set back does not make a window longer', async (t) => {
  let now = 3_600_000
  const count = memoryCounter(60_000, () => now)
  await count('a')
  now = 0
  t.strictSame(await count('a'), { used: 1, resetMs: 60_000 })
})

t.test('a flood of addresses pushes out the oldest windows only', async (t) => {
  let now = 0
  const count = memoryCounter(60_000, () => now, 3)
  for (const key of ['a', 'b', 'c']) {
    await count(key)
    now += 1
  }
  await count('a')
  await count('d')
  t.equal((await count('b')).used, 2)
  t.equal((await count('c')).used, 2)
  t.equal((await count('d')).used, 2)
  t.equal((await count('a')).used, 1, 'the oldest went')
})

t.test('windows that are over make room before any that is not', async (t) => {
  let now = 0
  const count = memoryCounter(60_000, () => now, 2)
  await count('old')
  now = 30_000
  await count('b')
  now = 60_000
  await count('c')
  t.equal((await count('b')).used, 2)
  t.equal((await count('c')).used, 2)
})
