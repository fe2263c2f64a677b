import t from 'tap'
import type { Count } from '../../src/plugins/rate-limit/memory-counter.js'
import { type Attempt, sharedCounter } from '../../src/plugins/rate-limit/shared-counter.js'

const WINDOW_MS = 60_000

type Answer = Count | undefined

/** A counter over a shared count that answers when the test says so. */
function create() {
  const asked: Attempt[] = []
  const open: ((answer: Answer) => void)[] = []
  const clock = { now: 1_000_000, away: false }
  const count = sharedCounter({ name: 'login', windowMs: WINDOW_MS, now: () => clock.now }, (attempt) => {
    if (clock.away) return undefined
    asked.push(attempt)
    return new Promise((resolve) => open.push(resolve))
  })
  /** One attempt that gets this answer at once. */
  const counted = async (answer: Answer) => {
    const result = count('a')
    open.shift()?.(answer)
    return (await result).used
  }
  const alone = async () => (await count('a')).used
  return { count, counted, alone, asked, open, clock }
}

const at = (used: number, resetMs = WINDOW_MS): Count => ({ used, resetMs })

t.test('while the shared count answers its number is the number', async (t) => {
  const { count, open, asked } = create()
  const result = count('a')
  open[0]?.(at(7, 1234))
  t.strictSame(await result, { used: 7, resetMs: 1234 })
  t.match(asked, [{ key: 'login:a', windowMs: WINDOW_MS, known: 0, missed: 0, resetMs: WINDOW_MS }])
})

t.test('alone it counts on from the last shared number, to the same end', async (t) => {
  const { count, counted, clock } = create()
  t.equal(await counted(at(4, 30_000)), 4)
  clock.away = true
  clock.now += 10_000
  t.strictSame(await count('a'), { used: 5, resetMs: 20_000 })
  t.strictSame(await count('a'), { used: 6, resetMs: 20_000 })
  clock.now += 20_000
  t.strictSame(await count('a'), { used: 1, resetMs: WINDOW_MS }, 'the window is over')
})

t.test('what was counted alone is reported once, with what is known and when it ends', async (t) => {
  const { counted, alone, asked, clock } = create()
  await counted(at(2))
  clock.away = true
  t.strictSame([await alone(), await alone()], [3, 4])
  clock.away = false
  clock.now += 1000
  t.equal(await counted(at(9, 50_000)), 9)
  t.match(asked[1], { known: 4, missed: 2, resetMs: WINDOW_MS - 1000 })
  t.equal(await counted(at(10, 50_000)), 10)
  t.match(asked[2], { known: 9, missed: 0, resetMs: 50_000 })
})

t.test('a report that did not arrive is repeated', async (t) => {
  const { counted, alone, asked, clock } = create()
  clock.away = true
  await alone()
  clock.away = false
  t.equal(await counted(undefined), 2)
  t.equal(await counted(at(3)), 3)
  t.match(asked, [
    { known: 1, missed: 1 },
    { known: 2, missed: 2 }
  ])
})

t.test('attempts at the same moment report nothing twice', async (t) => {
  const { count, alone, asked, open, clock } = create()
  clock.away = true
  await alone()
  clock.away = false
  const results = [count('a'), count('a')]
  t.match(asked, [
    { known: 1, missed: 1 },
    { known: 1, missed: 0 }
  ])
  open[0]?.(at(2))
  open[1]?.(at(3))
  t.match(await Promise.all(results), [{ used: 2 }, { used: 3 }])
})

t.test('no two attempts get the same number, whichever of them the shared count has taken', async (t) => {
  for (const taken of [[], [0, 1, 2], [7, 8, 9], [0, 2, 4, 6, 8]]) {
    const { count, open } = create()
    const results = Array.from({ length: 10 }, () => count('a'))
    let used = 0
    for (const [index, resolve] of open.entries()) {
      if (taken.includes(index)) used += 1
      resolve(taken.includes(index) ? at(used) : undefined)
    }
    const numbers = (await Promise.all(results)).map((result) => result.used)
    t.strictSame(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], `taken: ${taken}`)
  }
})

t.test('an answer that comes after the end of its window changes nothing of the next', async (t) => {
  const { count, counted, open, asked, clock } = create()
  const late = count('a')
  clock.now += WINDOW_MS
  const next = count('a')
  open.shift()?.(at(6, 5))
  open.shift()?.(at(1))
  t.equal((await late).used, 6)
  t.equal((await next).used, 1)
  t.equal(await counted(at(2)), 2)
  t.match(asked[2], { known: 1, missed: 0 })
})

t.test('a clock that is set back loses no more than what is remembered here', async (t) => {
  const { counted, asked, clock } = create()
  await counted(at(5))
  clock.now -= 3_600_000
  t.equal(await counted(at(6)), 6)
  t.match(asked[1], { known: 0, missed: 0, resetMs: WINDOW_MS })
})
