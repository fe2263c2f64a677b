import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { errorResponses } from '../../schemas.js'

interface OpenApiOptions {
  issuer: string
  version: string
  /** Serve the page under /docs. */
  docs: boolean
}

const SECURITY: Record<string, { [scheme: string]: string[] }[]> = {
  bearer: [{ bearer: [] }],
  owner: [{ bearer: [] }],
  admin: [{ bearer: [] }],
  'optional-bearer': [{ bearer: [] }, {}],
  client: [{ client: [] }],
  metrics: [{ metrics: [] }, {}]
}

/** What a route says about itself in its config becomes its security requirement: said once, never twice. */
function withSecurity({ schema, url, route }: { schema?: FastifySchema; url: string; route: RouteOptions }) {
  const security = SECURITY[route.config?.access ?? 'public'] ?? []
  return { schema: { ...schema, security } as FastifySchema, url }
}

function document({ issuer, version }: OpenApiOptions) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Postern',
      version,
      description: 'A standalone authentication service behind your own gateway.',
      license: { name: 'MIT', identifier: 'MIT' }
    },
    servers: [{ url: issuer.replace(/\/auth$/, ''), description: 'Where the gateway forwards /auth' }],
    tags: [
      { name: 'accounts', description: 'Sign up and log in' },
      { name: 'users', description: 'The user of a token' },
      { name: 'sessions', description: 'Refresh, log out, list and end sessions' },
      { name: 'events', description: "The user's own security history" },
      { name: 'gateway', description: 'What a gateway asks about the requests to other services' },
      { name: 'discovery', description: 'What verifiers and forms need to know' },
      { name: 'oauth', description: 'Introspection and revocation for configured clients' },
      { name: 'admin', description: 'For admins, outside /auth; each call is an event' },
      { name: 'operations', description: 'Outside /auth; a gateway never reaches these' }
    ],
    components: {
      securitySchemes: {
        bearer: { type: 'http' as const, scheme: 'bearer', bearerFormat: 'JWT' },
        client: { type: 'http' as const, scheme: 'basic', description: 'A client of the CLIENTS setting' },
        metrics: { type: 'http' as const, scheme: 'bearer', description: 'METRICS_TOKEN, where that is set' }
      }
    }
  }
}

/** Component names are the schemas' own `$id`s. */
function localReference(json: { $id?: unknown }, _base: unknown, _fragment: unknown, index: number): string {
  return typeof json.$id === 'string' ? json.$id : `schema-${index}`
}

/** The page's own routes are a third party's, static and public; what they answer has no schemas. */
async function page(scope: FastifyInstance): Promise<void> {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'public', foreign: true }
  })
  await scope.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
}

async function openapi(app: FastifyInstance, options: OpenApiOptions): Promise<void> {
  await app.register(swagger, {
    openapi: document(options),
    refResolver: { buildLocalReference: localReference },
    transform: withSecurity as never
  })
  if (options.docs) await app.register(page)
}

/**
 * The OpenAPI 3.1 document, made from the schemas of the routes that are registered after this plugin,
 * and its page. It stands before `access` in the list, which would not boot the page's routes.
 */
export default fp(openapi, { name: 'openapi', dependencies: ['errors'] })

/** Free of a schema of its own: the document is checked by a linter, not by a filter. */
const AnyObject = Type.Object({}, { additionalProperties: true, description: 'OpenAPI 3.1' })

/** `GET /auth/openapi.json`, registered once `access` stands. */
export const openapiRoute = fp(
  async (app) => {
    app.get(
      '/auth/openapi.json',
      {
        config: { access: 'public' },
        schema: {
          operationId: 'getOpenApi',
          summary: 'This document',
          tags: ['discovery'],
          response: { 200: AnyObject, ...errorResponses }
        }
      },
      async () => app.swagger()
    )
  },
  { name: 'openapi-route', dependencies: ['openapi', 'access'] }
)
