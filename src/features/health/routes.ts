import type { Routes } from '../../lib/typebox.js'
import { errorResponses } from '../../schemas.js'
import { Liveness, presentReadiness, ReadyAnswer, ReadyQuery } from './schemas.js'
import type { HealthService } from './service.js'

const routes: Routes<{ health: HealthService }> = async (app, { health }) => {
  app.get(
    '/livez',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'getLiveness',
        summary: 'Whether the process answers; the database is not asked',
        tags: ['operations'],
        response: { 200: Liveness, ...errorResponses }
      }
    },
    async () => ({ status: 'ok' as const })
  )

  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'getReadiness',
        summary: 'Whether requests should be sent here: database, migrations, signing key',
        tags: ['operations'],
        querystring: ReadyQuery,
        response: { 200: ReadyAnswer, ...errorResponses }
      }
    },
    async (request) => presentReadiness(health.readiness(), request.query)
  )
}

export default routes
