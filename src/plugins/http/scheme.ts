import type { FastifyRequest } from 'fastify'

/** A trusted proxy's last word, or the socket's own. */
export function isHttps({ protocol }: FastifyRequest): boolean {
  return String(protocol).toLowerCase() === 'https'
}
