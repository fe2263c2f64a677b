import type { Test } from 'tap'
import { ask } from './client.js'
import { SPOOFED } from './forgery.js'
import { STRANGER, valuesOf } from './protected.js'
import { until, type World } from './world.js'

/** For a gateway that checks tokens by the published keys, without asking. */
export const KEYS = {
  'by the keys alone: a good token passes with its identity, and no other does': async (t: Test, world: World) => {
    const user = await world.newUser()
    const path = '/reports/2026'
    await until(async () => (await ask({ path, token: user.token })).status === 200)
    const spoofed: [string, string][] = [
      ['X-User-Id', STRANGER],
      ['X-User-Email', 'eve@example.com'],
      ['X-Session-Id', STRANGER]
    ]
    const answer = await ask({ path, token: user.token, headers: spoofed })
    t.strictSame(valuesOf(answer.json, 'x-user-id'), [user.user_id])
    t.strictSame(valuesOf(answer.json, 'x-user-email'), [user.email])
    t.not(valuesOf(answer.json, 'x-session-id')[0], STRANGER)
    t.equal(valuesOf(answer.json, 'x-session-id').length, 1)
    const [head = '', claims = ''] = user.token.split('.')
    const unsigned = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
    const before = world.received.length
    for (const token of [
      undefined,
      'nonsense',
      `${user.token.slice(0, -8)}AAAAAAAA`,
      `${unsigned}.${claims}.`,
      `${head}.${claims}.`
    ]) {
      const refused = await ask({ path, ...(token !== undefined && { token }), headers: spoofed })
      t.equal(refused.status, 401, `${token}`)
    }
    const bearer: [string, string] = ['Authorization', `Bearer ${user.token}`]
    for (const headers of [
      [bearer, bearer],
      [bearer, ['Authorization', 'Bearer nonsense']],
      [['Authorization', 'Bearer nonsense'], bearer]
    ] as [string, string][][]) {
      t.ok([400, 401].includes((await ask({ path, headers })).status), 'two Authorization headers')
    }
    t.equal((await ask({ path: `${path}?access_token=${user.token}` })).status, 401, 'a token in the query')
    t.equal(world.received.length, before)
  },

  'by the keys alone: identity headers of a client never get to the API': async (t: Test, world: World) => {
    const user = await world.newUser()
    for (const headers of Object.values(SPOOFED)) {
      const { status, json } = await ask({ path: '/reports/2026', token: user.token, headers })
      t.equal(status, 200)
      t.strictSame(valuesOf(json, 'x-user-id'), [user.user_id])
      t.strictSame(valuesOf(json, 'x-user-email'), [user.email])
      t.equal(valuesOf(json, 'x-session-id').length, 1)
      t.strictSame(valuesOf(json, 'x-auth-request-id'), [], 'nobody was asked, so that there is none')
      t.notMatch(JSON.stringify(json.headers), STRANGER)
    }
  },

  'by the keys alone Postern may be stopped': async (t: Test, world: World) => {
    const user = await world.newUser()
    await Promise.all([world.first.stop(), world.second.stop()])
    t.equal((await ask({ path: '/reports/2026', token: user.token })).status, 200)
    t.equal((await ask({ path: '/reports/2026', token: 'nonsense' })).status, 401)
    t.ok((await ask({ path: `/api/${user.user_id}`, token: user.token })).status >= 500)
    await Promise.all([world.first.start(), world.second.start()])
    await until(async () => (await ask({ path: '/auth/settings' })).status === 200)
  }
}
