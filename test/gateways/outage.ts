import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Answer, ask, json, keptConnection, newAddress } from './client.js'
import { assertIdentity } from './protected.js'
import { until, type World } from './world.js'

const WORKERS = 6

/** Refreshes are limited to 60 in a minute. */
const ROUNDS_BETWEEN_REFRESHES = 40

interface Load {
  answers: number
  refreshes: number
  failures: string[]
  stop(): Promise<void>
}

/** What clients do all day, on connections that they keep: reads, writes, refreshes. */
async function underLoad(world: World): Promise<Load> {
  let over = false
  const load: Omit<Load, 'stop'> = { answers: 0, refreshes: 0, failures: [] }

  async function expect(what: string, wanted: (answer: Answer) => boolean, asked: Promise<Answer>): Promise<Answer> {
    const answer = await asked.catch(
      (error: Error): Answer => ({ status: 0, headers: {}, body: error.message, json: {} })
    )
    load.answers += 1
    if (!wanted(answer)) load.failures.push(`${what}: ${answer.status} ${answer.body.slice(0, 200)}`)
    return answer
  }

  async function work(): Promise<void> {
    let user = await world.newUser()
    const own = { agent: keptConnection(), from: newAddress() }
    const ok = ({ status }: Answer) => status === 200
    for (let round = 1; !over; round += 1) {
      const path = `/api/${user.user_id}/${round}`
      const { token } = user
      await expect('read', ok, ask({ ...own, path, token }))
      await expect('me', ok, ask({ ...own, path: '/auth/me', token }))
      const written = (answer: Answer) => ok(answer) && answer.json.bytes === 5000
      await expect('write', written, ask({ ...own, method: 'POST', path, token, body: 'x'.repeat(5000) }))
      if (round % ROUNDS_BETWEEN_REFRESHES === 0) {
        const body = JSON.stringify({ refresh_token: user.refresh_token })
        const answer = await expect(
          'refresh',
          ok,
          ask({ ...own, method: 'POST', path: '/auth/refresh', headers: [json], body })
        )
        if (ok(answer)) user = answer.json
        load.refreshes += 1
      }
      await sleep(10)
    }
    own.agent.destroy()
  }

  const workers = Array.from({ length: WORKERS }, work)
  return Object.assign(load, {
    stop: async () => {
      over = true
      await Promise.all(workers)
    }
  })
}

export const OUTAGE = {
  'a rolling restart of both instances under load fails not one request': async (t: Test, world: World) => {
    const load = await underLoad(world)
    await sleep(1000)
    for (const instance of [world.first, world.second]) {
      await instance.stop()
      await sleep(500)
      await instance.start()
      // As an orchestrator would: the next one only when the gateway has found this one again.
      await sleep(1500)
    }
    await load.stop()
    t.strictSame(load.failures, [])
    t.ok(load.answers > 300, `${load.answers} answers`)
    t.ok(load.refreshes > 0, `${load.refreshes} refreshes`)
    t.comment(`${load.answers} answers, ${load.refreshes} of them refreshes, ${load.failures.length} failures`)
  },

  'an instance that is killed costs the other no request that can be repeated': async (t: Test, world: World) => {
    const user = await world.newUser()
    await world.second.kill()
    await sleep(1500)
    for (let tries = 0; tries < 10; tries += 1) {
      t.equal((await ask({ path: `/api/${user.user_id}`, token: user.token })).status, 200)
    }
    await world.second.start()
  },

  'Postern hangs: the gateway refuses within seconds, and goes on when Postern does': async (t: Test, world: World) => {
    const user = await world.newUser()
    const path = `/api/${user.user_id}`
    const before = world.received.length
    for (const instance of [world.first, world.second]) instance.signal('SIGSTOP')
    const answers = await Promise.all([1, 2, 3].map(() => ask({ path, token: user.token })))
    for (const instance of [world.first, world.second]) instance.signal('SIGCONT')
    for (const { status } of answers) t.ok(status >= 500 || status === 403, `${status}`)
    t.equal(world.received.length, before)
    await until(async () => (await ask({ path, token: user.token })).status === 200)
  },

  'Postern is stopped: the gateway lets nobody pass, and everybody again when it is back': async (
    t: Test,
    world: World
  ) => {
    const user = await world.newUser()
    const path = `/api/${user.user_id}`
    await Promise.all([world.first.stop(), world.second.stop()])
    const before = world.received.length
    for (const token of [user.token, 'nonsense', undefined]) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const { status } = await ask({ method, path, ...(token !== undefined && { token }) })
        t.ok([502, 503, 504].includes(status), `${method}: ${status}`)
      }
    }
    t.ok((await ask({ path: '/auth/settings' })).status >= 500)
    t.equal(world.received.length, before)
    await Promise.all([world.first.start(), world.second.start()])
    await until(async () => (await ask({ path, token: user.token })).status === 200)
    const answer = await ask({ path, token: user.token })
    assertIdentity(t, answer.json, user, 'back again')
  }
}
