import type { FastifyRequest, FastifySchemaValidationError } from 'fastify'
import { ApiError, type ErrorCode } from '../../errors.js'
import { validationRefusal } from './validation.js'

interface Thrown {
  code?: unknown
  cause?: unknown
  validation?: FastifySchemaValidationError[]
  validationContext?: string
}

/** The refusals of the framework and its plugins. An error of any other origin is a fault of ours, whatever status it carries. */
const FRAMEWORK_CODES: Record<string, ErrorCode> = {
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_MAX_PARAM_LENGTH: 'invalid_request',
  FST_STATIC_FORBIDDEN_PATH: 'not_found',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: 'unsupported_media_type'
}

/** A driver wraps errors once or twice; a longer chain could be a circle. */
const MAX_CAUSES = 5

/** The refusal that an error of any origin amounts to; what is not known is `internal_error` with its cause. */
export function toApiError(error: unknown, request: FastifyRequest): ApiError {
  const refusal = findApiError(error)
  if (refusal !== undefined) return refusal
  const { code, validation, validationContext } = Object(error) as Thrown
  if (Array.isArray(validation)) {
    const more = validationContext === 'body' ? request.routeOptions.config?.faults?.(request.body) : undefined
    return validationRefusal(validation, validationContext, request.body === undefined, more)
  }
  if (typeof code === 'string' && Object.hasOwn(FRAMEWORK_CODES, code)) {
    return new ApiError(FRAMEWORK_CODES[code] as ErrorCode)
  }
  // The peer left in the middle of its body. Nobody reads this answer; the log says what happened.
  if (code === 'ECONNRESET' && !request.raw.complete) return new ApiError('request_timeout')
  return new ApiError('internal_error', { cause: error })
}

function findApiError(error: unknown): ApiError | undefined {
  let current = error
  for (let depth = 0; depth < MAX_CAUSES; depth += 1) {
    if (current instanceof ApiError) return current
    current = (Object(current) as Thrown).cause
  }
  return undefined
}
