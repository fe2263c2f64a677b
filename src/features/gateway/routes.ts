import { METHODS } from 'node:http'
import type { Static } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses } from '../../schemas.js'
import { asciiJson, identityHeaders, Verified, VerifyQuery } from './schemas.js'
import type { Gateway } from './service.js'

const response = { 200: Verified, ...errorResponses }

/** Of WebDAV and other relatives of HTTP. A CONNECT never becomes a request. */
const RARE_METHODS = (
  'ACL BIND CHECKOUT COPY LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY PROPFIND PROPPATCH PURGE ' +
  'QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE UNBIND UNLINK UNLOCK UNSUBSCRIBE'
).split(' ')

const routes: Routes<{ gateway: Gateway }> = async (app, { gateway }) => {
  for (const method of RARE_METHODS) {
    if (METHODS.includes(method) && !app.supportedMethods.includes(method)) app.addHttpMethod(method)
  }

  // auth_request of nginx reads nothing of a refusal but its headers: with this one nginx can answer in our words.
  app.addHook('onSend', async (request, reply, payload) => {
    const asksForNginx = request.headers['x-original-uri'] !== undefined
    if (asksForNginx && reply.statusCode >= 400) reply.header('x-auth-problem', asciiJson(String(payload)))
    return payload
  })

  app.get(
    '/verify',
    {
      config: { access: 'bearer', repeatable: ['owner_path'] },
      schema: {
        operationId: 'verify',
        summary: 'Asked by a gateway for each request to a protected API',
        description:
          'The original path comes in `X-Original-URI` or `X-Forwarded-Uri`, or is appended: `/auth/verify/<path>` takes any ' +
          'method. The token is judged first (401), then the path (400), then its owner (403).',
        tags: ['gateway'],
        querystring: VerifyQuery,
        response
      }
    },
    async (request, reply) => {
      const { owner_path: ownerPaths } = request.query as Static<typeof VerifyQuery>
      gateway.verify(request.identity, { rawHeaders: request.raw.rawHeaders, ownerPaths })
      return reply.code(200).headers(identityHeaders(request)).send(undefined)
    }
  )

  // A preflight that CORS answers itself would be a 2xx without an identity, to a gateway that keeps the method.
  app.options(
    '/verify',
    { config: { access: 'public', cors: false }, schema: { hide: true, response: errorResponses } },
    async (request) => {
      throw app.errors.unrouted(request)
    }
  )

  async function verifyAppended(request: FastifyRequest, reply: FastifyReply) {
    gateway.verify(request.identity, { rawHeaders: request.raw.rawHeaders, target: request.originalUrl })
    return reply.code(200).headers(identityHeaders(request)).send(undefined)
  }

  // The body and its type belong to the request that is asked about. So the answer is given before Fastify looks at
  // them, and the query is nobody's here. OpenAPI has no word for any method on any path.
  app.route({
    method: app.supportedMethods,
    url: '/verify/*',
    config: { access: 'bearer', anyQuery: true, cors: false },
    schema: { hide: true, response },
    preParsing: verifyAppended,
    handler: verifyAppended
  })
}

export default routes
