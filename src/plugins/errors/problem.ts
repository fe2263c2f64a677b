import { type ApiError, ERRORS, type ErrorCode } from '../../errors.js'

/** An answer to an error, whole but for the headers that stand on every answer. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** RFC 6750, section 3.1: an error only where a token was presented. */
const TOKEN_CODES: ReadonlySet<ErrorCode> = new Set(['invalid_token', 'token_expired', 'session_ended'])

function challenge(code: ErrorCode): string {
  if (code === 'invalid_client') return 'Basic realm="postern"'
  if (!TOKEN_CODES.has(code)) return 'Bearer realm="postern"'
  return `Bearer realm="postern", error="invalid_token", error_description="${ERRORS[code].detail}"`
}

/**
 * The `application/problem+json` answer (RFC 9457) to an error. Says nothing that is not in the table of errors or in
 * the error's public options: never its cause, its event, or its stack. Does not change the error, so one
 * may be shared or frozen.
 */
export function problemAnswer(error: ApiError, issuer: string, requestId: string): Answer {
  const { code, status, options } = error
  const headers: Record<string, string> = { ...options.headers }
  if (status === 401) headers['www-authenticate'] ??= challenge(code)
  if (status === 429 || status === 503) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(options.retryAfterSeconds ?? 1)))
  }
  headers['content-type'] = 'application/problem+json; charset=utf-8'
  const problem = {
    type: `${issuer}/errors/${code}`,
    title: ERRORS[code].title,
    status,
    code,
    detail: error.message,
    request_id: requestId,
    ...(options.errors?.length ? { errors: options.errors } : {})
  }
  return { status, headers, body: JSON.stringify(problem) }
}
