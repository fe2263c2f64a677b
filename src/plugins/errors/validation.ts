import type { FastifySchemaValidationError } from 'fastify'
import { ApiError, type FieldFault } from '../../errors.js'
import { fieldName, MAX_FAULTS } from '../../lib/field-name.js'

type Fault = FastifySchemaValidationError
type Rule = (params: Record<string, unknown>) => Omit<FieldFault, 'field'>

const bound = (params: Record<string, unknown>) => Number(params.limit)

/** What each keyword of JSON Schema is called on the wire. No message repeats what was sent. */
const RULES: Record<string, Rule> = {
  required: () => ({ code: 'required', message: 'This field is required.' }),
  additionalProperties: () => ({ code: 'unknown_field', message: 'There is no such field here.' }),
  type: ({ type }) => ({ code: 'wrong_type', message: `Must be of type ${String(type)}.` }),
  minLength: (params) => ({ code: 'too_short', message: `At least ${bound(params)} characters.`, min: bound(params) }),
  maxLength: (params) => ({ code: 'too_long', message: `At most ${bound(params)} characters.`, max: bound(params) }),
  minimum: (params) => ({ code: 'too_small', message: `At least ${bound(params)}.`, min: bound(params) }),
  maximum: (params) => ({ code: 'too_large', message: `At most ${bound(params)}.`, max: bound(params) }),
  minItems: (params) => ({ code: 'too_few', message: `At least ${bound(params)} items.`, min: bound(params) }),
  maxItems: (params) => ({ code: 'too_many', message: `At most ${bound(params)} items.`, max: bound(params) }),
  minProperties: (params) => ({ code: 'too_few', message: `At least ${bound(params)} fields.`, min: bound(params) }),
  maxProperties: (params) => ({ code: 'too_many', message: `At most ${bound(params)} fields.`, max: bound(params) }),
  pattern: () => ({ code: 'invalid_format', message: 'Does not have the required form.' }),
  format: () => ({ code: 'invalid_format', message: 'Does not have the required form.' }),
  uniqueItems: () => ({ code: 'repeated', message: 'The same value stands here more than once.' })
}

const OTHER: Rule = () => ({ code: 'invalid_value', message: 'Not one of the allowed values.' })

/** One `invalid_request` with every fault that Ajv found, each under its dotted name on the wire, and those that the route adds. */
export function validationRefusal(
  faults: Fault[],
  part: string | undefined,
  bodyIsMissing: boolean,
  more: FieldFault[] = []
): ApiError {
  if (bodyIsMissing && part === 'body') {
    const message = 'A JSON body is required.'
    return new ApiError('invalid_request', { detail: message, errors: [{ field: '', code: 'required', message }] })
  }
  return new ApiError('invalid_request', { errors: [...fieldFaults(faults), ...more] })
}

function fieldFaults(faults: Fault[]): FieldFault[] {
  const found = new Map<string, FieldFault>()
  for (const fault of withoutNoise(faults)) {
    const field = fieldOf(fault)
    const rule = Object.hasOwn(RULES, fault.keyword) ? RULES[fault.keyword] : undefined
    const { code, ...rest } = (rule ?? OTHER)(fault.params)
    found.set(`${field}\0${code}`, { field, code, ...rest })
    if (found.size === MAX_FAULTS) break
  }
  const all = [...found.values()]
  const mistyped = new Set(all.filter(({ code }) => code === 'wrong_type').map(({ field }) => field))
  return all.filter(({ field, code }) => code === 'wrong_type' || !mistyped.has(field))
}

/** With a union, Ajv also reports each branch that was not meant, and then the union itself. */
function withoutNoise(faults: Fault[]): Fault[] {
  const telling = faults.filter(
    ({ keyword, params }) => keyword !== 'anyOf' && !(keyword === 'type' && params.type === 'null')
  )
  return telling.length > 0 ? telling : faults
}

/** The path of the value, or of the field that is missing from it or too many in it (JSON pointer, RFC 6901). */
function fieldOf({ instancePath, params }: Fault): string {
  const parent = instancePath.split('/').slice(1).map(unescapePointer)
  const member = params.missingProperty ?? params.additionalProperty
  return typeof member === 'string' ? fieldName(...parent, member) : fieldName(...parent)
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~')
}
