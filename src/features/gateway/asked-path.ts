import { ApiError } from '../../errors.js'
import { readPath } from '../../lib/request-path.js'

/** The headers in which gateways hand on the original path: nginx the first, Caddy, Traefik and HAProxy the second. */
const SOURCES = ['x-original-uri', 'x-forwarded-uri']

const VERIFY = '/auth/verify'

export interface Asked {
  /** Names and values by turns, as they came. */
  rawHeaders: readonly string[]
  /** Envoy: the target of the question itself, in which the path stands behind `/auth/verify`. */
  target?: string
}

/**
 * The decoded segments of the path that a gateway asks about; undefined where it named none. Throws `invalid_request`
 * for an odd one, and for two: which of them the API will get is then anybody's guess.
 */
export function askedPath({ rawHeaders, target }: Asked): string[] | undefined {
  const headers = SOURCES.map((name) => valuesOf(rawHeaders, name))
  if (headers.some((values) => values.length > 1)) throw refusal('came twice in one header')
  const named = [...headers.flat(), ...(target === undefined ? [] : [appendedTo(target)])]
  const [first, ...others] = named
  if (first === undefined) return undefined
  const path = withoutQuery(first)
  if (others.some((other) => withoutQuery(other) !== path)) throw refusal('came from two sources that differ')
  const { segments, fault } = readPath(path)
  if (segments === undefined) throw refusal(fault)
  return segments
}

/** Where the router recognised `/auth/verify` in another spelling, nobody can say where the path begins: it is odd. */
function appendedTo(target: string): string {
  return target.startsWith(`${VERIFY}/`) ? target.slice(VERIFY.length) : ''
}

/** Node would join or drop repeated lines, so that what it keeps is not what came. */
function valuesOf(rawHeaders: readonly string[], wanted: string): string[] {
  return rawHeaders.filter((_text, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted)
}

function withoutQuery(target: string): string {
  return target.split('?', 1)[0] as string
}

/** The path itself is never repeated: it may be anything. */
export function refusal(fault: string): ApiError {
  return new ApiError('invalid_request', { detail: `The original path ${fault}.` })
}
