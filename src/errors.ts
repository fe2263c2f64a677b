import type { AuditEvent } from './events.js'

interface ErrorDefinition {
  status: number
  /** Short and constant: the RFC 9457 `title`. */
  title: string
  /** What happened, for the person who reads the answer. */
  detail: string
  /** What to do about it, for the error's page and `docs/errors.md`. */
  remedy: string
}

/**
 * Every error that this service answers. The codes are the contract; `docs/errors.md`, the pages under
 * `/auth/errors/` and the OpenAPI document come from this table.
 */
export const ERRORS = {
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    detail: 'The request does not have the required form.',
    remedy: 'Look at `errors`: it names each field at fault. Send exactly the documented fields, as JSON in UTF-8.'
  },
  weak_password: {
    status: 400,
    title: 'Weak password',
    detail: 'The password does not satisfy the password policy.',
    remedy: 'Look at `errors` for the rules that are not met, and at `/auth/settings` for all of them.'
  },
  malformed_http: {
    status: 400,
    title: 'Malformed HTTP',
    detail: 'The request is not valid HTTP/1.1.',
    remedy: 'Use a standard HTTP client, and have the gateway refuse what is not HTTP.'
  },
  invalid_credentials: {
    status: 401,
    title: 'Invalid email or password',
    detail: 'The email or the password is wrong.',
    remedy: 'Check both. The answer is the same whether the account exists, does not, or is switched off.'
  },
  missing_token: {
    status: 401,
    title: 'Authentication required',
    detail: 'This resource needs an access token.',
    remedy: 'Send `Authorization: Bearer <token>` with a token from login, signup or refresh.'
  },
  invalid_token: {
    status: 401,
    title: 'Invalid token',
    detail: 'The access token is not valid here.',
    remedy: 'Send the token exactly as it was issued, or log in again.'
  },
  token_expired: {
    status: 401,
    title: 'Token expired',
    detail: 'The access token has expired.',
    remedy: 'Exchange the refresh token for a new one, or log in again.'
  },
  session_ended: {
    status: 401,
    title: 'Session ended',
    detail: 'The session of this token has ended.',
    remedy: 'Log in again.'
  },
  invalid_refresh_token: {
    status: 401,
    title: 'Invalid refresh token',
    detail: 'The refresh token is not valid, or its session has ended.',
    remedy: 'Log in again.'
  },
  refresh_token_reused: {
    status: 401,
    title: 'Refresh token reused',
    detail: 'This refresh token had been replaced; its session is ended.',
    remedy: 'Log in again. Keep only the newest refresh token. If this was not you, change your password.'
  },
  invalid_client: {
    status: 401,
    title: 'Invalid client',
    detail: 'The client credentials are wrong or missing.',
    remedy: 'Send the id and the secret of a configured client by HTTP Basic authentication.'
  },
  not_your_resource: {
    status: 403,
    title: 'Not your resource',
    detail: 'The path names another user than the token.',
    remedy: "Use the token's own `user_id` in the path."
  },
  admin_required: {
    status: 403,
    title: 'Admin required',
    detail: 'This resource is for admins.',
    remedy: 'Sign in as a user whose role is admin.'
  },
  https_required: {
    status: 403,
    title: 'HTTPS required',
    detail: 'This service answers only requests that reached the gateway by https.',
    remedy: 'Use the https URL. What was sent by plain http should be considered exposed.'
  },
  not_found: {
    status: 404,
    title: 'Not found',
    detail: 'There is nothing here.',
    remedy: 'Check the path against `/auth/openapi.json`.'
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This path does not have this method.',
    remedy: 'Use one of the methods in the `Allow` header.'
  },
  request_timeout: {
    status: 408,
    title: 'Request timeout',
    detail: 'The request did not arrive in time.',
    remedy: 'Send headers within 10 seconds and the whole request within 15.'
  },
  email_taken: {
    status: 409,
    title: 'Email taken',
    detail: 'An account with this email exists.',
    remedy: 'Log in, or use another email.'
  },
  last_admin: {
    status: 409,
    title: 'Last admin',
    detail: 'The last active admin can be neither switched off nor demoted.',
    remedy: 'Make another user an admin first.'
  },
  key_not_ready: {
    status: 409,
    title: 'Key not ready',
    detail: 'The next signing key has not been published for long enough.',
    remedy:
      'Wait for the time in `detail`, or force it and accept that verifiers with a cached key set refuse new tokens.'
  },
  payload_too_large: {
    status: 413,
    title: 'Payload too large',
    detail: 'The body is longer than 16 KiB.',
    remedy: 'Send less.'
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'This path does not take this content type.',
    remedy: 'Send `Content-Type: application/json`.'
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    detail: 'Too many attempts from this address.',
    remedy: 'Wait for the seconds in `Retry-After`.'
  },
  account_throttled: {
    status: 429,
    title: 'Account throttled',
    detail: 'Too many failed attempts for this account.',
    remedy: 'Wait for the seconds in `Retry-After`. The right password is not accepted before then.'
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    detail: 'The headers are longer than 16 KiB.',
    remedy: 'Send fewer or shorter headers; cookies are not needed here.'
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong here.',
    remedy: 'Look for the `request_id` in the log.'
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    detail: 'More passwords wait to be checked than can be in time. Nothing was done.',
    remedy: 'Try again after the seconds in `Retry-After`.'
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    detail: 'The database cannot be reached.',
    remedy: 'Try again after the seconds in `Retry-After`. The operation happened wholly or not at all.'
  }
} as const satisfies Record<string, ErrorDefinition>

export type ErrorCode = keyof typeof ERRORS

/** One field at fault; the rejected value is never repeated. */
export interface FieldFault {
  field: string
  code: string
  message: string
  /** The bound that was missed, where there is one. */
  min?: number
  max?: number
}

export interface ApiErrorOptions {
  /** Replaces the table's detail; never contains what the client must not know. */
  detail?: string
  errors?: FieldFault[]
  headers?: Record<string, string>
  /** Whole seconds, at least 1: becomes `Retry-After`. */
  retryAfterSeconds?: number
  /** The private cause: the error handler writes this row before the answer leaves. */
  audit?: AuditEvent
  cause?: unknown
}

/** The one error that services throw. The client sees its code; the audit trail sees its cause. */
export class ApiError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly options: ApiErrorOptions

  constructor(code: ErrorCode, options: ApiErrorOptions = {}) {
    super(options.detail ?? ERRORS[code].detail, { cause: options.cause })
    this.name = 'ApiError'
    this.code = code
    this.status = ERRORS[code].status
    this.options = options
  }
}

/** The database is away: 503, safe to repeat. */
export function unavailable(cause?: unknown): ApiError {
  return new ApiError('unavailable', { retryAfterSeconds: 1, cause })
}
