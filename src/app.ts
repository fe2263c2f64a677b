import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Config } from './config.js'
import accounts from './features/accounts/index.js'
import admin, { adminTrail } from './features/admin/index.js'
import errorPages from './features/errors/index.js'
import events, { eventHistory } from './features/events/index.js'
import gateway from './features/gateway/index.js'
import health from './features/health/index.js'
import keys, { discovery } from './features/keys/index.js'
import monitoring from './features/monitoring/index.js'
import oauth from './features/oauth/index.js'
import page from './features/page/index.js'
import sessions from './features/sessions/index.js'
import throttle from './features/throttle/index.js'
import users from './features/users/index.js'
import { httpOptions } from './http-options.js'
import { version } from './lib/version.js'
import access from './plugins/access/index.js'
import client from './plugins/client.js'
import clock, { type Clock, systemClock } from './plugins/clock.js'
import database from './plugins/database/index.js'
import errors from './plugins/errors/index.js'
import http from './plugins/http/index.js'
import requestRules from './plugins/http/request-rules.js'
import jwt from './plugins/jwt/index.js'
import metrics from './plugins/metrics/index.js'
import openapi, { openapiRoute } from './plugins/openapi/index.js'
import passwords from './plugins/passwords/index.js'
import rateLimit from './plugins/rate-limit/index.js'
import tracing from './plugins/tracing/index.js'

export interface BuildOptions {
  config: Config
  clock?: Clock
  logger?: FastifyBaseLogger
}

/**
 * Builds the service without listening. The list below is the architecture: a plugin depends only on what
 * stands above it. Rejects when a wrong setting or a wrong order would make it unsafe to start.
 */
export async function buildApp({ config, clock: time = systemClock, logger }: BuildOptions): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify(httpOptions(config, logger))

  await app.register(tracing, config)
  await app.register(clock, { clock: time })
  await app.register(errors, { issuer: config.issuer })
  await app.register(http, config)
  await app.register(client, config)
  await app.register(database, config)
  await app.register(passwords, config)
  await app.register(events, config)
  await app.register(keys, config)
  await app.register(jwt, config)
  await app.register(rateLimit, config)
  await app.register(requestRules, config)
  await app.register(openapi, { issuer: config.issuer, version, docs: config.docs })
  await app.register(access, config)
  await app.register(health)
  await app.register(openapiRoute)
  await app.register(errorPages)
  await app.register(discovery, config)
  await app.register(users)
  await app.register(eventHistory)
  await app.register(sessions, config)
  await app.register(oauth, config)
  await app.register(throttle)
  await app.register(accounts, {
    lifetimes: {
      access_token: config.accessTokenTtlSeconds,
      refresh_token: config.refreshTokenTtlSeconds,
      session: config.sessionTtlSeconds
    },
    features: { introspection: config.clients.length > 0 }
  })
  await app.register(gateway, config)
  await app.register(metrics)
  await app.register(adminTrail)
  await app.register(monitoring, config)
  await app.register(admin, config)
  await app.register(page)

  return app
}
