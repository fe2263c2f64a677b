import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { errorResponses } from '../../schemas.js'
import { eventLoopSampler } from './event-loop.js'
import { countEvents } from './events.js'
import { createMetrics, type Metrics } from './registry.js'
import { timeRequests } from './requests.js'
import { addSources } from './sources.js'

async function metrics(app: FastifyInstance): Promise<void> {
  const all = createMetrics()
  addSources(app, all)
  app.events.subscribe(countEvents(all))
  app.passwords.onHash((seconds) => all.observe('postern_hash_seconds', {}, seconds))
  timeRequests(app, all)
  const eventLoop = eventLoopSampler((seconds) => all.observe('postern_event_loop_delay_seconds', {}, seconds))
  app.addHook('onReady', async () => eventLoop.start())
  app.addHook('onClose', async () => eventLoop.stop())
  addRoute(app, all)
}

function addRoute(app: FastifyInstance, { text, contentType }: Metrics): void {
  app.get(
    '/metrics',
    {
      config: { access: 'metrics' },
      schema: {
        operationId: 'getMetrics',
        summary: 'Metrics of this instance, for Prometheus',
        tags: ['operations'],
        response: {
          200: { description: 'The text exposition format', content: { 'text/plain': { schema: Type.String() } } },
          ...errorResponses
        }
      }
    },
    async (_request, reply) => reply.type(contentType).send(await text())
  )
}

/**
 * `GET /metrics`, from the table of metrics. It stands below what it reads, and nothing depends on it: what is counted
 * is told to it, or asked for when the metrics are.
 */
export default fp(metrics, {
  name: 'metrics',
  dependencies: ['clock', 'client', 'database', 'passwords', 'events', 'keys', 'rate-limit', 'access', 'sessions']
})
