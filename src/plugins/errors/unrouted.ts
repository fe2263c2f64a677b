import type { FastifyInstance, HTTPMethods } from 'fastify'
import { ApiError } from '../../errors.js'

const METHODS: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * The refusal of a request that no route takes: 405 with `Allow` where the path has other methods (RFC 9110, section
 * 15.5.6), else 404. Also where a route took it and found nothing. Asks the router itself, so that a path which is
 * spelled differently is judged as it would be routed.
 */
export function unrouted(app: FastifyInstance, method: string, url: string): ApiError {
  const allowed = METHODS.filter((other) => app.findRoute({ method: other, url }) !== null)
  if (allowed.length === 0 || allowed.includes(method as HTTPMethods)) return new ApiError('not_found')
  return new ApiError('method_not_allowed', { headers: { allow: allowed.join(', ') } })
}
