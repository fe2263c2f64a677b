import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ApiError } from '../../errors.js'
import { trustedProxies } from '../../lib/trusted-proxies.js'
import { refuseAmbiguousRequest } from './guard.js'
import { isHttps } from './scheme.js'

interface RequestRulesOptions {
  /** Refuse what a trusted proxy marks as plain http. */
  production: boolean
  /** The proxies whose `X-Forwarded-Proto` counts; what Fastify was given as `trustProxy`. */
  trustProxy: readonly string[]
}

/** The router's catch-all for OPTIONS belongs to CORS; no request is meant for it. */
function isUnrouted(request: FastifyRequest): boolean {
  return request.is404 || (request.method === 'OPTIONS' && request.routeOptions.url === '*')
}

/**
 * Only what a trusted proxy says counts: of several values its own, the right-most, and anything but https is not. A
 * request without the header came from inside, such as a health check.
 */
function cameByPlainHttp(request: FastifyRequest, isTrusted: (address: string | undefined) => boolean): boolean {
  const marked = request.headers['x-forwarded-proto']
  return Boolean(marked) && isTrusted(request.raw.socket.remoteAddress) && !isHttps(request)
}

async function requestRules(app: FastifyInstance, { production, trustProxy }: RequestRulesOptions): Promise<void> {
  const isTrusted = trustedProxies(trustProxy)

  app.addHook('onRequest', async (request) => {
    refuseAmbiguousRequest(request.raw)
    // Never a redirect: the credentials have been on the wire already, and a redirect would hide it.
    if (production && cameByPlainHttp(request, isTrusted)) throw new ApiError('https_required')
    if (isUnrouted(request)) throw app.errors.unrouted(request)
  })
}

/**
 * What is refused whatever the route: it stands after `rate-limit`, so that no spelling of an attempt goes uncounted, and
 * before `access`, so that no guard reads a header that is there twice.
 */
export default fp(requestRules, { name: 'request-rules', dependencies: ['errors', 'http', 'rate-limit'] })
