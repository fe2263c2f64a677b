import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ApiError } from '../../errors.js'
import { SECURITY_HEADERS, STRICT_TRANSPORT_SECURITY } from '../../lib/security-headers.js'
import { trustedProxies } from '../../lib/trusted-proxies.js'
import { refuseBrokenRequest } from './client-error.js'
import { endsWithUnreadBody } from './connection.js'
import { allowOrigins } from './cors.js'
import { refuseAmbiguousRequest } from './guard.js'
import { refuseUnexpectedBody, takeOnlyStrictJson } from './json-body.js'
import { refuseBadQuery } from './query.js'

interface HttpOptions {
  /** Refuse what a trusted proxy marks as plain http. */
  production: boolean
  corsOrigins: readonly string[]
  /** The proxies whose `X-Forwarded-Proto` counts; what Fastify was given as `trustProxy`. */
  trustProxy: readonly string[]
}

/** A trusted proxy's last word, or the socket's own. */
function isHttps({ protocol }: FastifyRequest): boolean {
  return String(protocol).toLowerCase() === 'https'
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

async function http(app: FastifyInstance, { production, corsOrigins, trustProxy }: HttpOptions): Promise<void> {
  const bodyLimit = app.initialConfig.bodyLimit as number
  const isTrusted = trustedProxies(trustProxy)

  app.addHook('onRequest', async (request) => {
    refuseAmbiguousRequest(request.raw)
    // Never a redirect: the credentials have been on the wire already, and a redirect would hide it.
    if (production && cameByPlainHttp(request, isTrusted)) throw new ApiError('https_required')
  })
  await allowOrigins(app, corsOrigins)
  // Before the body is read, and before the limits count: what does not exist costs nothing.
  app.addHook('onRequest', async (request) => {
    if (isUnrouted(request)) throw app.errors.unrouted(request)
  })
  app.addHook('preParsing', async (request) => refuseBrokenRequest(request.raw))
  takeOnlyStrictJson(app)
  app.addHook('preValidation', async (request) => {
    await refuseBadQuery(request)
    await refuseUnexpectedBody(request)
  })
  app.addHook('onSend', async (request, reply) => addHeaders(request, reply, bodyLimit))
}

/** The defaults of every answer; what a route has set stays. */
function addHeaders(request: FastifyRequest, reply: FastifyReply, bodyLimit: number): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    if (!reply.hasHeader(name)) reply.header(name, value)
  }
  reply.header('x-request-id', request.id)
  if (isHttps(request)) reply.header('strict-transport-security', STRICT_TRANSPORT_SECURITY)
  if (endsWithUnreadBody(request.raw, reply.raw, bodyLimit)) reply.header('connection', 'close')
}

/**
 * The shell around every route: what is refused before a route is asked, how a body is read, and the headers of every
 * answer. Hooks run in this order; a plugin that is registered later comes later.
 */
export default fp(http, { name: 'http', dependencies: ['errors'] })
