import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiError, type FieldFault } from '../../errors.js'
import { fieldName, MAX_FAULTS } from '../../lib/field-name.js'
import { type JsonFault, parseStrictJson, StrictJsonError } from '../../lib/strict-json.js'

/** `+json`, another charset and unknown parameters are other media types, whatever their spelling. */
const JSON_TYPE = /^application\/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i

const DETAILS: Record<JsonFault, string> = {
  invalid_utf8: 'The body is not valid UTF-8.',
  invalid_json: 'The body is not valid JSON.',
  duplicate_key: 'A key stands twice in one object of the body.',
  forbidden_key: 'A key of the body has a name that is not allowed.',
  too_deep: 'The body is nested too deeply.',
  forbidden_character: 'A string of the body has NUL or half of a surrogate pair in it.',
  number_out_of_range: 'A number of the body is too large.'
}

/** Replaces Fastify's parsers: every route takes strict JSON and nothing else, unless its plugin adds another parser. */
export function takeOnlyStrictJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    refuseOtherMediaTypes(request)
    return parse(body)
  })
}

/**
 * Fastify finds the parser by a normalised media type. A refusal that depends on the spelling must look at what was sent:
 * `application/json\t;x` has reached a route past its validation before (CVE-2026-25223).
 */
function refuseOtherMediaTypes({ headers }: FastifyRequest): void {
  const coding = headers['content-encoding'] ?? 'identity'
  if (!JSON_TYPE.test(headers['content-type'] ?? '') || coding.toLowerCase() !== 'identity') {
    throw new ApiError('unsupported_media_type')
  }
}

function parse(body: Buffer): object {
  if (body.length === 0) throw new ApiError('invalid_request', { detail: 'The body is empty.' })
  try {
    return objectOnly(parseStrictJson(body))
  } catch (error) {
    throw error instanceof StrictJsonError ? refusal(error) : error
  }
}

/** Also keeps the text `null` from passing for an absent body, which Fastify validates as null. */
function objectOnly(value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw refusalOf('The body is not a JSON object.', [{ field: '', code: 'wrong_type', message: 'Must be an object.' }])
}

function refusal({ fault, path }: StrictJsonError): ApiError {
  const detail = DETAILS[fault]
  if (fault !== 'forbidden_character' || path.length === 0) return refusalOf(detail)
  return refusalOf(detail, [{ field: fieldName(...path), code: 'forbidden_character', message: detail }])
}

function refusalOf(detail: string, errors?: FieldFault[]): ApiError {
  return new ApiError('invalid_request', errors === undefined ? { detail } : { detail, errors })
}

/** A route without a schema for its body takes none: fields that nobody reads are as unknown as any other. */
export async function refuseUnexpectedBody(request: FastifyRequest): Promise<void> {
  if (request.body === undefined || request.routeOptions.schema?.body !== undefined) return
  const fields = Object.keys(Object(request.body)).slice(0, MAX_FAULTS)
  if (fields.length === 0) return
  const message = 'This path takes no body.'
  const errors = fields.map((name) => ({ field: fieldName(name), code: 'unknown_field', message }))
  throw refusalOf(message, errors)
}
