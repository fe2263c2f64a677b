import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { databaseCheck, migrationsCheck, signingKeyCheck } from './checks.js'
import routes from './routes.js'
import { type HealthService, healthService } from './service.js'

export type { Check, CheckResult } from './service.js'

declare module 'fastify' {
  interface FastifyInstance {
    health: HealthService
  }
}

async function health(app: FastifyInstance): Promise<void> {
  const service = healthService()
  service.addCheck(
    'database',
    databaseCheck(() => app.database.state())
  )
  service.addCheck(
    'migrations',
    migrationsCheck(() => app.database.state())
  )
  service.addCheck(
    'signing_key',
    signingKeyCheck(() => app.keys.current())
  )
  // A warning: requests are answered all the same.
  service.addCheck('client_addresses', () => ({ ok: true, detail: app.clientTrust.describe() }))
  // Degraded is ready: every attempt is counted.
  service.addCheck('rate_limits', () => ({ ok: true, detail: app.limiter.describe() }))
  app.decorate('health', service)
  // Whoever keeps its connection would meet a closed one a moment later (RFC 9112, section 9.6).
  app.addHook('onSend', async (_request, reply) => {
    if (service.stopping()) reply.header('connection', 'close')
  })
  await app.register(routes, { health: service })
}

/** `/livez`, `/readyz`, and the checks behind them. */
export default fp(health, {
  name: 'health',
  dependencies: ['errors', 'client', 'database', 'keys', 'rate-limit', 'access']
})
