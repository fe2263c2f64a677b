import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import type { TokenAnswer } from '../../src/schemas.js'
import { createApp, newUser } from '../fixtures/app.js'
import { type App, assertDead, client, startSession, tryRefresh, unlimited } from '../fixtures/sessions.js'

const ROUNDS = 200

type Ending = (app: App, user: TokenAnswer, session: { sessionId: string }) => Promise<unknown>

/** Lets so many turns of the event loop pass. */
async function after<T>(turns: number, work: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  return await work()
}

/** The one or the other begins first, by a few turns more or less in each round. */
async function race(t: Test, end: Ending, restore: (app: App) => Promise<unknown> = async () => {}) {
  const app = await createApp(t, { config: unlimited })
  const user = await newUser(app.http)
  let won = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const session = await startSession(app, user)
    const [refreshed] = await Promise.all([
      after(round % 13, () => tryRefresh(app, session.refreshToken)),
      after(round % 5, () => end(app, user, session))
    ])
    await restore(app)
    if (typeof refreshed === 'string') t.equal(refreshed, 'invalid_refresh_token')
    else won += 1
    await assertDead(t, app, typeof refreshed === 'string' ? session : refreshed)
  }
  t.comment(`the refresh came first in ${won} of ${ROUNDS} rounds`)
}

t.test('a refresh against a logout never leaves a live token', async (t) => {
  await race(t, ({ app }, user, { sessionId }) =>
    app.sessions.logout(client, { bearer: { userId: user.user_id, sessionId } })
  )
})

t.test('a refresh against a logout of all never leaves a live token', async (t) => {
  await race(t, ({ app }, user, { sessionId }) =>
    app.sessions.logout(client, { scope: 'all', bearer: { userId: user.user_id, sessionId } })
  )
})

t.test('a refresh against a revocation never leaves a live token', async (t) => {
  await race(t, ({ app }, { user_id: userId, email }, { sessionId }) =>
    app.sessions.revoke(client, { userId, email, sessionId })
  )
})

t.test('a refresh against a deactivation never leaves a live token, not even when the user comes back', async (t) => {
  await race(
    t,
    ({ app }, { user_id: id }) =>
      app.db.transaction(async (tx) => {
        await tx.execute(sql`update postern.users set is_active = false where id = ${id}`)
        await app.sessions.endAll(tx, id)
      }),
    (app) => app.sql`update postern.users set is_active = true`
  )
})
