import type { Test } from 'tap'
import { ask } from './client.js'
import { STRANGER } from './protected.js'
import type { World } from './world.js'

/** What nobody reaches through the gateway: Postern's own paths outside /auth, and what there is not. */
const OUTSIDE = [
  '/',
  '/admin',
  '/admin/',
  '/admin/api/users',
  '/metrics',
  '/livez',
  '/readyz',
  '/readyz?verbose',
  '/docs',
  '/docs/',
  '/.well-known/jwks.json',
  '/_postern',
  '/auth',
  '/api',
  '/authx/me',
  '/apix',
  '/AUTH/me',
  '/auth/../livez',
  '/auth/../metrics',
  '/auth/../admin/api/users',
  '/auth/./../livez',
  '/auth/%2e%2e/livez',
  '/auth/..%2flivez',
  '/auth/..%2Fmetrics',
  '/auth%2f..%2flivez',
  '/auth/..;/livez',
  '/auth/;/../livez',
  '/auth/..\\livez',
  '/auth/..%5clivez',
  '/auth//../livez',
  '/auth/x/../../livez',
  '/api/../livez',
  '//livez',
  '//auth/../livez',
  '/./livez',
  '/%6civez',
  '/livez/',
  '/livez%2f',
  '/livez%00',
  '/auth/%252e%252e/livez',
  '/auth/..%c0%aflivez'
]

const oddPaths = (mine: string, theirs: string) => [
  `//api/${theirs}`,
  `/api//${theirs}`,
  `/api/${theirs}//x`,
  `/api/./${theirs}`,
  `/./api/${theirs}`,
  `/api/${mine}/../${theirs}`,
  `/api/${mine}/./../${theirs}/x`,
  `/api/${mine}/%2e%2e/${theirs}`,
  `/api/${mine}/%2E%2e/${theirs}`,
  `/api/${mine}/.%2e/${theirs}`,
  `/api/${mine}/..%2f${theirs}`,
  `/api/${mine}%2f..%2f${theirs}`,
  `/api/${mine}%2F%2E%2E%2F${theirs}`,
  `/api%2f${theirs}`,
  `/api/${mine}/..%5c${theirs}`,
  `/api/${mine}\\..\\${theirs}`,
  `/api\\${theirs}`,
  `/api;x=1/${theirs}`,
  `/api/${mine};/../${theirs}`,
  `/api/${mine}/..;/${theirs}`,
  `/api/%252e%252e/${theirs}`,
  `/api/${mine}/%252e%252e/${theirs}`,
  `/api/${mine}%252f..%252f${theirs}`,
  `/api/${mine}%00/../${theirs}`,
  `/api/${theirs}%00`,
  `/api/${mine}%0a/${theirs}`,
  `/api/${mine}/%c0%ae%c0%ae/${theirs}`,
  `/api/${mine}/%ef%bc%8e%ef%bc%8e/${theirs}`,
  `/api/${theirs}%20`,
  `/api/%20${theirs}`,
  `/api/${theirs}%zz`,
  `/api/${theirs}%`,
  `/public/../api/${theirs}`,
  `/auth/../api/${theirs}`,
  `/auth/x/%2e%2e/%2e%2e/api/${theirs}`,
  `/auth/..%2fapi/${theirs}`,
  `/API/${theirs}`,
  `/Api/${theirs}`,
  `/%61pi/${theirs}`,
  `/%61%70%69/${theirs}`,
  `/api/${theirs.toUpperCase()}`,
  `/api/%3${theirs.charCodeAt(0) - 48}${theirs.slice(1)}`,
  `/api/${theirs}?/../${mine}`,
  `/api/${theirs}#/../${mine}`,
  `/api/${theirs}%23/../${mine}`,
  `/api/${theirs}%3f/../${mine}`,
  `http://localhost/api/${theirs}`,
  `http://localhost:8080//api/${theirs}`
]

/** Whatever an API makes of this path, it is about `mine`, or about nobody. */
function isPlainly(url: string, mine: string): boolean {
  const path = url.replace(/^https?:\/\/[^/]*/, '').split('?', 1)[0] ?? ''
  return path.startsWith(`/api/${mine}`) && !/\/\/|\/\.|%|;|\\|#/.test(path)
}

export const PATHS = {
  'nothing but /auth/ and /api/ is reachable, in whatever spelling': async (t: Test, world: World) => {
    const { token } = await world.newUser()
    const before = world.received.length
    for (const path of OUTSIDE) {
      for (const sent of [undefined, token]) {
        const { status, body } = await ask({ path, ...(sent !== undefined && { token: sent }) })
        t.ok(status >= 400 && status < 500, `${path}: ${status}`)
        t.notMatch(body, /alive|"ready"|"keys"|process_|swagger/, path)
      }
    }
    t.equal(world.received.length, before)
  },

  "no spelling of somebody else's path gets to the API": async (t: Test, world: World) => {
    const user = await world.newUser()
    for (const path of oddPaths(user.user_id, STRANGER)) {
      const before = world.received.length
      const answer = await ask({ path, token: user.token })
      const arrived = world.received.slice(before)
      // What a gateway resolves by itself must still be the asker's own.
      t.ok(
        arrived.every(({ url }) => isPlainly(url, user.user_id)),
        `${path}: ${answer.status}, the API got ${arrived.map(({ url }) => url).join(' ')}`
      )
      if (arrived.length === 0) t.ok(answer.status >= 300 && answer.status !== 500, `${path}: ${answer.status}`)
    }
  },

  'what an API could read in two ways is refused on the own path, too': async (t: Test, world: World) => {
    const user = await world.newUser()
    const mine = user.user_id
    for (const path of [
      `/api/${mine}/%2e%2e%2f${mine}`,
      `/api/${mine}/a%2fb`,
      `/api/${mine}/a%5cb`,
      `/api/${mine}/a;b`,
      `/api/${mine}/a%252fb`,
      `/api/${mine}/%00`
    ]) {
      const before = world.received.length
      t.equal((await ask({ path, token: user.token })).status, 400, path)
      t.equal(world.received.length, before)
    }
    const resolved = [`/api/${mine}/a/../b`, `/api/${mine}//b`, `/api/${mine}/./b`]
    for (const path of resolved) {
      const answer = await ask({ path, token: user.token })
      if (world.program.resolvesPaths && answer.status === 200) t.equal(answer.json.url, `/api/${mine}/b`, path)
      else t.ok([400, 301, 307, 308].includes(answer.status), `${path}: ${answer.status}`)
    }
  }
}
