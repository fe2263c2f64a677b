import type { FastifyRequest } from 'fastify'
import { ApiError, type FieldFault } from '../../errors.js'
import { fieldName, MAX_FAULTS } from '../../lib/field-name.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The query belongs to somebody else (a forwarded request): it is neither checked nor read. */
    anyQuery?: boolean
    /** Parameters of the route that may stand more than once, each time as one more value. */
    repeatable?: readonly string[]
  }
}

/**
 * Refuses a query that could be read in two ways, before the route's schema sees it: broken percent-encoding, invalid
 * UTF-8, NUL, a parameter twice. A route without a schema for its query takes no parameter at all. Throws ApiError.
 */
export async function refuseBadQuery(request: FastifyRequest): Promise<void> {
  const url = request.raw.url as string
  const start = url.indexOf('?') + 1
  if (start === 0 || start === url.length) return
  const { config, schema } = request.routeOptions
  if (config.anyQuery) return
  const names = parameterNames(url.slice(start))
  const takesParameters = schema?.querystring !== undefined
  const faults = takesParameters ? repetitions(names, config.repeatable) : names.map(unknown)
  if (faults.length > 0) throw new ApiError('invalid_request', { errors: faults.slice(0, MAX_FAULTS) })
}

function parameterNames(query: string): string[] {
  return query.split('&').map((pair) => {
    const [name, ...value] = pair.split('=').map(decode)
    if ([name, ...value].some((text) => text?.includes('\0'))) throw broken()
    return name as string
  })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw broken()
  }
}

function broken(): ApiError {
  return new ApiError('invalid_request', { detail: 'The query is not percent-encoded UTF-8 without NUL.' })
}

function repetitions(names: string[], repeatable: readonly string[] = []): FieldFault[] {
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index && !repeatable.includes(name)))
  return [...twice].map((name) => fault(name, 'repeated', 'This parameter stands here more than once.'))
}

function unknown(name: string): FieldFault {
  return fault(name, 'unknown_field', 'There is no such parameter here.')
}

function fault(name: string, code: string, message: string): FieldFault {
  return { field: fieldName(name), code, message }
}
