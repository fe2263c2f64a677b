import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Metrics } from './registry.js'
import { METRICS } from './table.js'

const STATUSES = METRICS.postern_http_request_seconds.labels.status

/** Never what was asked for: that would let a client make series as it likes. */
function routeOf({ is404, routeOptions: { url } }: FastifyRequest): string {
  return is404 || url === undefined || url === '*' ? 'unrouted' : url
}

/** Times every request that was routed, or found no route. What the HTTP parser refuses is no request. */
export function timeRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const status = STATUSES[Math.floor(reply.statusCode / 100) - 1] ?? '5xx'
    metrics.observe('postern_http_request_seconds', { route: routeOf(request), status }, reply.elapsedTime / 1000)
    done()
  })
}
