import type { FastifyInstance, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { guardAnswers, requireResponses } from './declared.js'
import { type Checks, type Counts, createGuards, required } from './guards.js'
import type { Access, AccessControl } from './types.js'

export type { Access, AccessControl, ClientCheck, Identity, SessionCheck } from './types.js'

const NEEDS: Record<Access, keyof Checks | undefined> = {
  public: undefined,
  bearer: 'session',
  owner: 'session',
  admin: 'session',
  client: 'client',
  'optional-bearer': undefined,
  metrics: undefined
}

interface AccessOptions {
  /** What routes of access `metrics` ask for; undefined: nothing. */
  metricsToken?: string | undefined
}

/** Only a whole segment: the guard reads `params.user_id` as the path's. */
const OWNED_PATH = /\/:user_id(?:\/|$)/

/** The access of a route. Throws for one that does not declare it, or cannot keep to it. */
function declaredAccess({ method, url, config }: RouteOptions): Access {
  const { access } = config ?? {}
  if (access === undefined) throw new Error(`${method} ${url} does not declare config.access`)
  if (!Object.hasOwn(NEEDS, access)) throw new Error(`${method} ${url} declares the unknown access "${access}"`)
  if (access === 'owner' && !OWNED_PATH.test(url)) throw new Error(`${method} ${url} has no :user_id for its owner`)
  return access
}

async function access(app: FastifyInstance, { metricsToken }: AccessOptions): Promise<void> {
  const checks: Checks = {}
  const needed = new Map<keyof Checks, string>()
  const counts: Counts = { missing: 0, accepted: 0 }
  const guards = createGuards(app, { checks, counts, metricsToken })

  function use<Name extends keyof Checks>(name: Name, check: NonNullable<Checks[Name]>): void {
    if (checks[name] !== undefined) throw new Error(`there is a ${name} check already`)
    checks[name] = check
  }

  app.decorate('access', {
    useSessionCheck: (check) => use('session', check),
    useClientCheck: (check) => use('client', check),
    missingTokens: () => counts.missing,
    acceptedTokens: () => counts.accepted
  } satisfies AccessControl)
  app.decorateRequest('identity')
  app.decorateRequest('clientId')
  app.addHook('onRoute', (route) => {
    const need = NEEDS[declaredAccess(route)]
    requireResponses(route)
    if (need !== undefined) needed.set(need, `${route.method} ${route.url}`)
  })
  // A hook of the instance and not of the route: no hook that a feature adds can answer before it. It reaches the routes
  // from before this plugin too, which onRoute has not seen: one that declares no access fails.
  app.addHook('onRequest', async (request) => {
    await required(guards[request.routeOptions.config.access as Access])(request)
  })
  guardAnswers(app)
  app.addHook('onReady', async () => {
    for (const [name, route] of needed) {
      if (checks[name] === undefined) throw new Error(`${route} needs a ${name} check, and no plugin gave one`)
    }
  })
}

/** Refuses to boot a route that does not say who may call it and what it answers, and holds it to both. */
export default fp(access, { name: 'access', dependencies: ['errors', 'request-rules', 'rate-limit', 'client', 'jwt'] })
