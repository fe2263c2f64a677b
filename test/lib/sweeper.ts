import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createSweeper, sweepInBites } from '../../src/lib/sweeper.js'

t.test('it takes bites until one is not full, or it is told to stop', async (t) => {
  const bites = (sizes: number[]) => async () => sizes.shift() ?? t.fail('one bite too many')
  t.equal(await sweepInBites(bites([500, 500, 20]) as () => Promise<number>), 1020)
  t.equal(await sweepInBites(bites([0]) as () => Promise<number>), 0)
  let asked = 0
  const shouldStop = () => {
    asked += 1
    return asked > 2
  }
  t.equal(await sweepInBites(bites([500, 500]) as () => Promise<number>, shouldStop), 1000)
})

t.test('it sweeps again and again, also after a failure, and not after it was stopped', async (t) => {
  let runs = 0
  const errors: unknown[] = []
  const signals = new EventTarget()
  const third = once(signals, 'third')
  const sweeper = createSweeper({
    everyMs: 2,
    sweep: async () => {
      runs += 1
      if (runs === 3) signals.dispatchEvent(new Event('third'))
      if (runs === 1) throw new Error('away')
    },
    onError: (error) => errors.push(error)
  })
  sweeper.start()
  sweeper.start()
  // Its timer does not keep a process alive, and a test waits for more than that.
  const alive = setInterval(() => undefined, 1000)
  await third
  clearInterval(alive)
  await sweeper.stop()
  const before = runs
  await sleep(30)
  t.equal(runs, before)
  t.match(errors, [{ message: 'away' }])
})

t.test('stopping waits for the sweep under way, which is told', async (t) => {
  const order: string[] = []
  let begun = () => {}
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve
  })
  const sweeper = createSweeper({
    everyMs: 1,
    sweep: async (shouldStop) => {
      begun()
      while (!shouldStop()) await sleep(1)
      order.push('swept')
    },
    onError: () => t.fail()
  })
  sweeper.start()
  const alive = setInterval(() => undefined, 1000)
  await hasBegun
  clearInterval(alive)
  await sweeper.stop()
  order.push('stopped')
  t.strictSame(order, ['swept', 'stopped'])
})
