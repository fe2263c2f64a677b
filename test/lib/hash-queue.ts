import t from 'tap'
import { Abandoned, createHashQueue, QueueFull } from '../../src/lib/hash-queue.js'

/** Work that ends when it is told to, and remembers in which order it began. */
function manualWork() {
  const begun: number[] = []
  const ends = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
  let most = 0
  return {
    begun,
    most: () => most,
    work: (id: number) => async () => {
      begun.push(id)
      await new Promise<void>((resolve, reject) => {
        ends.set(id, { resolve, reject })
        most = Math.max(most, ends.size)
      })
      return id
    },
    async end(id: number, error?: Error) {
      const { resolve, reject } = ends.get(id) ?? {}
      ends.delete(id)
      if (error) reject?.(error)
      else resolve?.()
      await settled()
    }
  }
}

const failure = (run: Promise<unknown>) => run.catch((error: unknown) => error)

async function refusal(run: Promise<unknown>) {
  const error = await failure(run)
  return error instanceof QueueFull ? { full: true, retryAfterSeconds: error.retryAfterSeconds } : error
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

t.test('work runs in order of arrival, never more at once than allowed', async (t) => {
  const queue = createHashQueue({ concurrency: 2, maxWaitMs: 1000, expectedMs: 1 })
  const { begun, most, work, end } = manualWork()
  const results = [0, 1, 2, 3, 4].map((id) => queue.run(work(id)))
  await settled()
  t.strictSame(begun, [0, 1])
  t.match(queue.stats(), { running: 2, waiting: 3 })
  await end(1)
  t.strictSame(begun, [0, 1, 2])
  await end(0)
  await end(2)
  t.strictSame(begun, [0, 1, 2, 3, 4])
  await end(4)
  await end(3)
  t.strictSame(await Promise.all(results), [0, 1, 2, 3, 4])
  t.equal(most(), 2)
  t.match(queue.stats(), { running: 0, waiting: 0 })
})

t.test('more than the allowed seconds of waiting work is refused at once, with the seconds it takes', async (t) => {
  const queue = createHashQueue({ concurrency: 2, maxWaitMs: 2000, expectedMs: 500 })
  const { begun, work, end } = manualWork()
  const taken = Array.from({ length: 10 }, (_, id) => queue.run(work(id)))
  await settled()
  t.match(queue.stats(), { running: 2, waiting: 8 })
  t.strictSame(await refusal(queue.run(work(10))), { full: true, retryAfterSeconds: 3 })
  t.strictSame(begun, [0, 1], 'nothing was begun for it')
  await end(0)
  const late = queue.run(work(11))
  for (let id = 1; id <= 11; id += 1) await end(id)
  await Promise.all([...taken, late])
  t.notOk(begun.includes(10))
})

t.test('of many at once exactly as many are taken as fit', async (t) => {
  const queue = createHashQueue({ concurrency: 3, maxWaitMs: 100, expectedMs: 30 })
  const { work, end } = manualWork()
  const outcomes = Promise.allSettled(Array.from({ length: 50 }, (_, id) => queue.run(work(id))))
  await settled()
  for (let id = 0; id < 50; id += 1) await end(id)
  const taken = (await outcomes).filter(({ status }) => status === 'fulfilled')
  t.equal(taken.length, 3 + 10)
})

t.test('one may always wait, so that a slow measurement cannot close the queue for good', async (t) => {
  const queue = createHashQueue({ concurrency: 1, maxWaitMs: 100, expectedMs: 60_000 })
  const { work, end } = manualWork()
  const both = [queue.run(work(0)), queue.run(work(1))]
  t.strictSame(await refusal(queue.run(work(2))), { full: true, retryAfterSeconds: 120 })
  await settled()
  await end(0)
  await end(1)
  await Promise.all(both)
  t.ok(queue.stats().averageMs < 60_000, 'it learns')
})

t.test('a client that left frees its place and is not worked for', async (t) => {
  const queue = createHashQueue({ concurrency: 1, maxWaitMs: 100, expectedMs: 50 })
  const { begun, work, end } = manualWork()
  const gone = new AbortController()
  const first = queue.run(work(0))
  const leaving = queue.run(work(1), gone.signal)
  const staying = queue.run(work(2))
  await settled()
  t.type(await failure(queue.run(work(3))), QueueFull)
  gone.abort()
  t.type(await failure(leaving), Abandoned)
  const taken = queue.run(work(4))
  await settled()
  await end(0)
  await end(2)
  await end(4)
  t.strictSame(await Promise.all([first, staying, taken]), [0, 2, 4])
  t.strictSame(begun, [0, 2, 4])
  t.type(await failure(queue.run(work(5), gone.signal)), Abandoned, 'nor is it if it had left before')
})

t.test('leaving while the work runs changes nothing, and no listener stays behind', async (t) => {
  const queue = createHashQueue({ concurrency: 1, maxWaitMs: 100, expectedMs: 1 })
  const { work, end } = manualWork()
  const controller = new AbortController()
  let listeners = 0
  const { signal } = controller
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1
    add(...args)
  }
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1
    remove(...args)
  }
  const running = queue.run(work(0), signal)
  await settled()
  t.equal(listeners, 0)
  controller.abort()
  await end(0)
  t.equal(await running, 0)
})

t.test('work that fails gives its place back and rejects as it failed', async (t) => {
  const queue = createHashQueue({ concurrency: 1, maxWaitMs: 100, expectedMs: 1 })
  const { work, end } = manualWork()
  const failing = queue.run(work(0))
  const next = queue.run(work(1))
  await settled()
  const [failure] = await Promise.all([failing.catch((error: Error) => error), end(0, new Error('no thread'))])
  t.match(failure, { message: 'no thread' })
  await end(1)
  t.equal(await next, 1)
  const thrown = queue.run(() => {
    throw new Error('before any promise')
  })
  await t.rejects(thrown, { message: 'before any promise' })
  t.match(queue.stats(), { running: 0, waiting: 0 })
})

t.test('Retry-After is never below one second, however short the wait', async (t) => {
  const queue = createHashQueue({ concurrency: 1, maxWaitMs: 1, expectedMs: 1 })
  const { work, end } = manualWork()
  const taken = [queue.run(work(0)), queue.run(work(1))]
  t.strictSame(await refusal(queue.run(work(2))), { full: true, retryAfterSeconds: 1 })
  await end(0)
  await end(1)
  await Promise.all(taken)
})

t.test('one long measurement, as of a machine that slept, does not close the queue', async (t) => {
  const queue = createHashQueue({ concurrency: 1, maxWaitMs: 1000, expectedMs: 0.1 })
  await queue.run(() => new Promise((resolve) => setTimeout(resolve, 50)))
  t.ok(queue.stats().averageMs <= 0.1 * 1.6 + 0.001, `${queue.stats().averageMs} ms`)
})

t.test('a thousand that join, leave, fail and end in any order: nobody is lost, and never too many run', async (t) => {
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', onUnhandled)
  t.teardown(() => process.off('unhandledRejection', onUnhandled))
  const queue = createHashQueue({ concurrency: 3, maxWaitMs: 60_000, expectedMs: 1 })
  let running = 0
  let most = 0
  const outcomes = Array.from({ length: 1000 }, async (_, id) => {
    const controller = new AbortController()
    await new Promise((resolve) => setTimeout(resolve, id % 97))
    if (id % 3 === 0) setTimeout(() => controller.abort(), id % 11)
    return await queue.run(async () => {
      running += 1
      most = Math.max(most, running)
      if (id % 5 !== 0) await new Promise((resolve) => setTimeout(resolve, id % 3))
      running -= 1
      if (id % 10 === 9) throw new Error('failed')
      return id
    }, controller.signal)
  })
  const results = await Promise.allSettled(outcomes)
  const count = { done: 0, failed: 0, abandoned: 0 }
  for (const [id, result] of results.entries()) {
    if (result.status === 'fulfilled' && result.value === id) count.done += 1
    else if (result.status === 'rejected' && result.reason instanceof Abandoned && id % 3 === 0) count.abandoned += 1
    else if (result.status === 'rejected' && result.reason.message === 'failed' && id % 10 === 9) count.failed += 1
    else t.fail(`${id} ${JSON.stringify(result)}`)
  }
  t.equal(count.done + count.failed + count.abandoned, 1000)
  t.ok(count.done > 500 && count.failed > 50 && count.abandoned > 50, JSON.stringify(count))
  t.equal(most, 3)
  t.match(queue.stats(), { running: 0, waiting: 0 })
  await settled()
  t.strictSame(unhandled, [])
})

t.test('entries that leave in the middle keep the order of the others, and all of them may leave', async (t) => {
  const queue = createHashQueue({ concurrency: 1, maxWaitMs: 60_000, expectedMs: 1 })
  const { begun, work, end } = manualWork()
  const first = queue.run(work(0))
  const controllers = Array.from({ length: 9 }, () => new AbortController())
  const waiting = Promise.allSettled(controllers.map(({ signal }, index) => queue.run(work(index + 1), signal)))
  t.match(queue.stats(), { running: 1, waiting: 9 })
  for (const index of [4, 0, 8, 5]) controllers[index]?.abort()
  t.match(queue.stats(), { running: 1, waiting: 5 }, 'their places are free at once')
  await settled()
  for (const id of [0, 2, 3, 4, 7]) await end(id)
  t.strictSame(begun, [0, 2, 3, 4, 7, 8])
  await end(8)
  await Promise.all([first, waiting])
  t.match(queue.stats(), { running: 0, waiting: 0 })
})

t.test('when all that wait have left, the next one has its turn at once', async (t) => {
  const queue = createHashQueue({ concurrency: 1, maxWaitMs: 60_000, expectedMs: 1 })
  const { begun, work, end } = manualWork()
  const gone = new AbortController()
  const first = queue.run(work(0))
  const left = Promise.allSettled([1, 2, 3].map((id) => queue.run(work(id), gone.signal)))
  gone.abort()
  t.strictSame(
    (await left).map(({ status }) => status),
    Array(3).fill('rejected')
  )
  await end(0)
  const next = queue.run(work(4))
  await settled()
  t.strictSame(begun, [0, 4])
  await end(4)
  await Promise.all([first, next])
})
