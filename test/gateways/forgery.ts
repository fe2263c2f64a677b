import type { Test } from 'tap'
import { ask } from './client.js'
import { assertIdentity, STRANGER, valuesOf } from './protected.js'
import type { World } from './world.js'

type Headers = [name: string, value: string][]

const IDENTITY = ['X-User-Id', 'X-User-Email', 'X-Session-Id', 'X-Auth-Request-Id']

/** Each identity header in this spelling. */
const spelled = (spell: (name: string) => string): Headers =>
  IDENTITY.map((name) => [spell(name), `spoofed-${STRANGER}`])

/** What a client may try, by the way it spells the names. */
export const SPOOFED: Record<string, Headers> = {
  'as they are': spelled((name) => name),
  'in lower case': spelled((name) => name.toLowerCase()),
  'in upper case': spelled((name) => name.toUpperCase()),
  twice: [...spelled((name) => name), ...spelled((name) => name.toLowerCase())],
  'with underscores': spelled((name) => name.replaceAll('-', '_')),
  'with one underscore': spelled((name) => name.replace('-', '_')),
  'with dots': spelled((name) => name.replaceAll('-', '.')),
  'in every spelling': [
    ...spelled((name) => name),
    ...spelled((name) => name.replaceAll('-', '_')),
    ...spelled((name) => name.replaceAll('-', '.'))
  ]
}

/** Names by which some gateway or framework takes another path, method or client for the real one. */
const misleading = (path: string): Headers[] => [
  ...[
    'X-Forwarded-Uri',
    'X-Original-URI',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-Forwarded-Path',
    'X-Envoy-Original-Path',
    'x-forwarded-uri'
  ].map((name): Headers => [[name, path]]),
  [
    ['X-Forwarded-Uri', path],
    ['X-Forwarded-Uri', path]
  ],
  [
    ['X-Original-URI', path],
    ['X-Forwarded-Uri', path],
    ['X-Forwarded-Method', 'OPTIONS'],
    ['X-Original-Method', 'OPTIONS'],
    ['X-HTTP-Method-Override', 'OPTIONS']
  ],
  [[':path', path]]
]

export const FORGERY = {
  'identity headers of a client never get to the API': async (t: Test, world: World) => {
    const user = await world.newUser()
    const path = `/api/${user.user_id}`
    for (const [spelling, headers] of Object.entries(SPOOFED)) {
      const { status, json } = await ask({ path, token: user.token, headers })
      // A gateway may refuse the whole request, too.
      if (status === 200) assertIdentity(t, json, user, spelling)
      else t.equal(status, 400, spelling)
    }
    t.equal((await ask({ path, token: user.token, headers: SPOOFED['as they are'] as Headers })).status, 200)
    const anonymous = await ask({ path, headers: SPOOFED['in every spelling'] as Headers })
    t.ok([400, 401].includes(anonymous.status), `${anonymous.status}`)
  },

  'a client cannot have the identity taken away by naming it in Connection': async (t: Test, world: World) => {
    const user = await world.newUser()
    const path = `/api/${user.user_id}`
    for (const names of [...IDENTITY, IDENTITY.join(', '), 'X-Forwarded-For', 'X-Forwarded-Uri, X-Original-URI']) {
      const { status, json } = await ask({ path, token: user.token, headers: [['Connection', `close, ${names}`]] })
      if (status === 200) assertIdentity(t, json, user, names)
      else t.ok(status >= 400, `${names}: ${status}`)
    }
    const withoutToken = await ask({ path, token: user.token, headers: [['Connection', 'close, Authorization']] })
    if (withoutToken.status === 200) assertIdentity(t, withoutToken.json, user, 'Authorization')
    else t.ok(withoutToken.status >= 400)
    for (const names of ['X-Forwarded-Uri', 'X-Original-URI', 'X-Forwarded-Uri, X-Original-URI']) {
      const foreign = {
        path: `/api/${STRANGER}`,
        token: user.token,
        headers: [['Connection', `close, ${names}`]] as Headers
      }
      const before = world.received.length
      t.ok((await ask(foreign)).status >= 400, names)
      t.equal(world.received.length, before)
    }
  },

  'no header of a client changes the path that is judged': async (t: Test, world: World) => {
    const user = await world.newUser()
    const mine = `/api/${user.user_id}`
    for (const headers of misleading(mine)) {
      const before = world.received.length
      const name = headers.map(([one]) => one).join(', ')
      const { status } = await ask({ path: `/api/${STRANGER}`, token: user.token, headers }).catch(() => ({
        status: 400
      }))
      t.ok([400, 403].includes(status), `${name}: ${status}`)
      t.equal(world.received.length, before, name)
    }
    for (const headers of misleading('/public')) {
      const name = headers.map(([one]) => one).join(', ')
      const { status } = await ask({ path: mine, token: user.token, headers }).catch(() => ({ status: 400 }))
      t.ok([200, 400].includes(status), `${name}: ${status}`)
    }
  },

  'two Authorization headers are refused, whichever comes first': async (t: Test, world: World) => {
    const user = await world.newUser()
    const other = await world.newUser()
    const bearer = (token: string): [string, string] => ['Authorization', `Bearer ${token}`]
    const before = world.received.length
    for (const headers of [
      [bearer(user.token), bearer(other.token)],
      [bearer(other.token), bearer(user.token)],
      [bearer(user.token), bearer(user.token)],
      [bearer(user.token), bearer('nonsense')],
      [bearer('nonsense'), bearer(user.token)],
      [bearer(user.token), ['authorization', 'Basic eDp5']]
    ] as Headers[]) {
      for (const path of [`/api/${user.user_id}`, '/auth/me']) {
        const { status } = await ask({ path, headers })
        t.ok([400, 401].includes(status), `${path} ${status}`)
      }
    }
    t.equal(world.received.length, before)
  },

  'an empty Authorization header beside the real one is refused, or is not there for anybody': async (
    t: Test,
    world: World
  ) => {
    const user = await world.newUser()
    const real: [string, string] = ['Authorization', `Bearer ${user.token}`]
    for (const headers of [
      [['AUTHORIZATION', ''], real],
      [real, ['Authorization', '']]
    ] as Headers[]) {
      const { status, json } = await ask({ path: `/api/${user.user_id}`, headers })
      if (status === 200) t.strictSame(valuesOf(json, 'authorization'), [real[1]])
      else t.ok([400, 401].includes(status), `${status}`)
    }
  },

  'a client cannot say that it came by https': async (t: Test, world: World) => {
    const user = await world.newUser()
    const headers: Headers = [
      ['X-Forwarded-Proto', 'https'],
      ['Forwarded', 'proto=https'],
      ['X-Forwarded-Ssl', 'on']
    ]
    const answer = await ask({ path: '/auth/me', token: user.token, headers })
    t.equal(answer.status, 200)
    t.equal(answer.headers['strict-transport-security'], undefined)
    const through = await ask({ path: `/api/${user.user_id}`, token: user.token, headers })
    t.notOk(valuesOf(through.json, 'x-forwarded-proto').includes('https'))
    t.strictSame(valuesOf(through.json, 'forwarded'), [])
  }
}
