import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A preflight is for the route itself to answer, and no answer says anything about CORS. */
    cors?: false
  }
}

const EXPOSED = ['RateLimit', 'RateLimit-Policy', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id']

/**
 * Lets scripts of exactly these origins read what `/auth` answers; without any, nothing about CORS is said, and never of what
 * operators call. Never with credentials: a bearer token is not sent by a browser of its own accord.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  const allowed = new Set(origins)
  const options: FastifyCorsOptions = {
    origin: (origin, done) => done(null, origin !== undefined && allowed.has(origin) ? origin : false),
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'X-Request-Id'],
    exposedHeaders: EXPOSED,
    maxAge: 600,
    strictPreflight: false
  }
  const none: FastifyCorsOptions = { origin: false }
  await app.register(cors, {
    delegator: (request: FastifyRequest, done: (error: Error | null, chosen: FastifyCorsOptions) => void) =>
      done(null, request.url.startsWith('/auth/') ? options : none)
  })
}
