import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { SECURITY_HEADERS, STRICT_TRANSPORT_SECURITY } from '../../lib/security-headers.js'
import { refuseBrokenRequest } from './client-error.js'
import { endsWithUnreadBody } from './connection.js'
import { allowOrigins } from './cors.js'
import { refuseUnexpectedBody, takeOnlyStrictJson } from './json-body.js'
import { refuseBadQuery } from './query.js'
import { isHttps } from './scheme.js'

interface HttpOptions {
  corsOrigins: readonly string[]
}

async function http(app: FastifyInstance, { corsOrigins }: HttpOptions): Promise<void> {
  const bodyLimit = app.initialConfig.bodyLimit as number
  await allowOrigins(app, corsOrigins)
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
 * The shell around every route: how a body is read, and the headers of every answer; `request-rules` refuses requests as a
 * whole. Hooks run in this order; a plugin that is registered later comes later.
 */
export default fp(http, { name: 'http', dependencies: ['errors'] })
