import type { IncomingMessage } from 'node:http'
import { v7 as uuidv7 } from 'uuid'

/** Nothing that could break a log line, a header or a URL. */
const ACCEPTABLE = /^[A-Za-z0-9._-]{8,128}$/

/** The caller's `X-Request-Id` where it is acceptable, else a new UUIDv7. A repeated header is not acceptable. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : uuidv7()
}
