import rateLimitPlugin from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { ApiError } from '../../errors.js'
import { type CounterFactory, memoryCounter } from './memory-counter.js'
import type { RedisTiming } from './redis/redis-counts.js'
import { counterStore } from './store.js'

export type { Count, Counter, CounterFactory } from './memory-counter.js'

export type LimitName = 'login' | 'signup' | 'refresh'

interface Policy {
  max: number
  windowSeconds: number
}

interface RateLimitOptions {
  /** Undefined: that limit is off, and its routes say nothing of limits. */
  rateLimits: Readonly<Record<LimitName, Policy | undefined>>
  /** Where instances share their counts. Undefined: each counts in its memory, and nothing of the client is loaded. */
  redisUrl?: string | undefined
  /** For tests on a busy machine. */
  redisTiming?: Partial<RedisTiming>
  /** Where attempts are counted instead. */
  counter?: CounterFactory
}

/** `local`: nothing is to be shared. `shared`: one count for all instances. `degraded`: it should be, and Redis is away. */
export type LimiterMode = 'local' | 'shared' | 'degraded'

export interface Limiter {
  mode(): LimiterMode
  /** How often it has become so since the first mode was known. */
  changes(): { shared: number; degraded: number }
  /** One line for an operator; no secret. */
  describe(): string
}

declare module 'fastify' {
  interface FastifyInstance {
    /** How attempts are counted at the moment. */
    limiter: Limiter
  }
  interface FastifyContextConfig {
    /** The named limit of this route. Each name has its own count for each client address. */
    limit?: LimitName
  }
}

type Limit = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

async function rateLimit(app: FastifyInstance, options: RateLimitOptions): Promise<void> {
  const { rateLimits, redisUrl, redisTiming, counter } = options
  const counting = redisUrl === undefined ? inMemory(app) : await inRedis(app, redisUrl, redisTiming)
  app.decorate('limiter', counting.limiter)
  await app.register(rateLimitPlugin, { global: false, store: counterStore(counter ?? counting.factory) })
  const limits = new Map<string, Limit | undefined>(
    Object.entries(rateLimits).map(([name, policy]) => [name, policy && createLimit(app, name, policy)])
  )

  app.addHook('onRoute', (route) => refuseUnknown(route, limits))
  // A hook of the instance and not of the route: it comes before every hook that a feature can add, and before the body.
  app.addHook('onRequest', async (request, reply) => {
    const { limit } = request.routeOptions.config
    if (limit !== undefined) await limits.get(limit)?.(request, reply)
  })
}

interface Counting {
  factory: CounterFactory
  limiter: Limiter
}

function inMemory(app: FastifyInstance): Counting {
  return {
    factory: ({ windowMs }) => memoryCounter(windowMs, () => app.clock.now()),
    limiter: {
      mode: () => 'local',
      changes: () => ({ shared: 0, degraded: 0 }),
      describe: () => 'counted by this instance; several share them by REDIS_URL'
    }
  }
}

async function inRedis(app: FastifyInstance, redisUrl: string, timing?: Partial<RedisTiming>): Promise<Counting> {
  const { countInRedis } = await import('./redis/index.js')
  return countInRedis(app, redisUrl, timing)
}

function refuseUnknown({ method, url, config }: RouteOptions, limits: Map<string, unknown>): void {
  const name = config?.limit
  if (name === undefined || limits.has(name)) return
  throw new Error(`${method} ${url} names the limit "${name}", and there is none of that name`)
}

function createLimit(app: FastifyInstance, name: string, { max, windowSeconds }: Policy): Limit {
  const options = { policy: name, max, timeWindow: windowSeconds * 1000 }
  const attempt = app.createRateLimit({ ...options, keyGenerator: ({ client }) => client.addressKey })

  return async (request, reply) => {
    reply.header('ratelimit-policy', `"${name}";q=${max};w=${windowSeconds}`)
    const { isExceeded, remaining, ttlInSeconds } = await counted(attempt, request)
    reply.header('ratelimit', `"${name}";r=${remaining};t=${ttlInSeconds}`)
    if (isExceeded) {
      throw new ApiError('rate_limited', {
        retryAfterSeconds: Math.max(1, ttlInSeconds),
        audit: { type: 'rate_limited', success: false, reason: 'rate_limited', details: { limit: name } }
      })
    }
  }
}

type Attempt = ReturnType<FastifyInstance['createRateLimit']>
type Attempted = Extract<Awaited<ReturnType<Attempt>>, { isExceeded: boolean }>

/** Fails closed: an attempt that cannot be counted is refused. */
async function counted(attempt: Attempt, request: FastifyRequest): Promise<Attempted> {
  try {
    const result = await attempt(request)
    // The other kind of result is for a list of exempted addresses, and there is none.
    if ('isExceeded' in result) return result
    throw new Error('an attempt was not counted')
  } catch (cause) {
    const detail = 'Attempts cannot be counted at the moment.'
    throw new ApiError('unavailable', { detail, retryAfterSeconds: 1, cause })
  }
}

/** Named limits for each client address, counted before the body is read and before anything is known about the caller. */
export default fp(rateLimit, { name: 'rate-limit', dependencies: ['clock', 'errors', 'client'] })
