import type { IncomingMessage } from 'node:http'
import { ApiError } from '../../errors.js'

/** Headers of which a second one would be read differently by the gateway, by Node and by us. */
const SINGLE: Record<string, 'authorization' | 'contentType' | 'host'> = {
  authorization: 'authorization',
  'content-type': 'contentType',
  host: 'host'
}

/** Node bounds the bytes of names and values alone: of headers without a value sixty kilobytes would pass. */
const MAX_HEADERS = 200

/** RFC 3986, 3.2.2 and 3.2.3: a name or an address in brackets, and a port. May be empty (RFC 9112, 3.2). */
const HOST = /^(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?$/

function countSingles({ rawHeaders }: IncomingMessage) {
  const counts = { authorization: 0, contentType: 0, host: 0 }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = SINGLE[(rawHeaders[index] as string).toLowerCase()]
    if (name !== undefined) counts[name] += 1
  }
  return counts
}

/**
 * Refuses what Node's parser lets through although two readers of it could disagree (RFC 9112): a version other than
 * 1.0 and 1.1, no `Host`, two, or one that is none (section 3.2), a transfer coding besides `chunked` or under HTTP/1.0 (section 6.1), a fragment in the
 * target (section 3.2). Of `Authorization` and `Content-Type` Node keeps the first and drops the others silently:
 * the gateway may have looked at the last. Nor are there ever so many headers. Throws ApiError.
 */
export function refuseAmbiguousRequest(raw: IncomingMessage): void {
  if (raw.rawHeaders.length > 2 * MAX_HEADERS) {
    throw new ApiError('headers_too_large', { headers: { connection: 'close' } })
  }
  const { httpVersion, headers } = raw
  const coding = headers['transfer-encoding']
  const { authorization, contentType, host } = countSingles(raw)
  const malformed =
    (httpVersion !== '1.1' && httpVersion !== '1.0') ||
    host > 1 ||
    (host === 0 && httpVersion === '1.1') ||
    (coding !== undefined && (coding.toLowerCase() !== 'chunked' || httpVersion === '1.0')) ||
    (headers.host !== undefined && !HOST.test(headers.host)) ||
    raw.url?.includes('#')
  if (malformed) throw new ApiError('malformed_http', { headers: { connection: 'close' } })
  if (authorization > 1) throw repeated('Authorization')
  if (contentType > 1) throw repeated('Content-Type')
}

function repeated(name: string): ApiError {
  return new ApiError('invalid_request', { detail: `There is more than one ${name} header.` })
}
