import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A preflight is for the route itself to answer, and no answer says anything about CORS. */
    cors?: false
  }
}

const EXPOSED = ['RateLimit', 'RateLimit-Policy', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id']

/**
 * Lets scripts of exactly these origins read our answers; without any, nothing about CORS is said. Never with
 * credentials: a bearer token is not sent by a browser of its own accord. The origin `null` is anybody's, and refused.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  const allowed = new Set(origins.filter((origin) => origin !== 'null' && origin !== '*'))
  await app.register(cors, {
    origin: (origin, done) => done(null, origin !== undefined && allowed.has(origin) ? origin : false),
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'X-Request-Id'],
    exposedHeaders: EXPOSED,
    maxAge: 600,
    strictPreflight: false
  })
}
