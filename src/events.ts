/**
 * The closed lists of the audit trail. `docs/events.md` is compared with them by a test.
 * Each text says when such a row is written.
 */
export const EVENT_TYPES = {
  signup: 'An account was made, or an attempt to make one was refused',
  login: 'A password was accepted, refused, or not looked at because the request was invalid or shed',
  logout: 'A user ended a session of theirs, or several with `scope`',
  refresh: 'A refresh token was exchanged for its successor, or refused',
  refresh_reuse_detected: 'A refresh token that had been replaced came back; its session was ended',
  session_revoked:
    'A session was ended by its user from the list, by an operator, by a client, or by the limit on sessions',
  token_rejected: 'A bearer token was presented and refused',
  ownership_denied: "A good token was used on somebody else's path",
  rate_limited: 'A request was over the limit of its address',
  account_throttled: 'A password attempt came while its account had to wait',
  throttle_cleared: "An operator lifted an account's wait",
  password_rehashed: 'A login replaced a hash of lower cost',
  user_updated: 'An operator changed a user',
  admin_action: 'An operator used the admin interface',
  admin_denied: 'Somebody who is no admin called the admin interface',
  key_created: 'A signing key was made',
  key_rotated: 'Another signing key became the current one',
  key_revoked: 'A signing key was withdrawn, and with it every token that it signed',
  service_started: 'An instance came up'
} as const

export const FAILURE_REASONS = {
  unknown_email: 'No account has this email',
  wrong_password: 'The password is not that of the account',
  inactive_account: 'The account is switched off',
  email_taken: 'An account with this email exists',
  weak_password: 'The password does not satisfy the policy',
  invalid_request: 'The request was malformed, too large, or of another media type',
  rate_limited: 'The address had used up its attempts',
  account_throttled: 'The account had to wait after failures',
  overloaded: 'More passwords were waiting to be checked than can be in time',
  token_malformed: 'What was sent is not a JWT that could be ours',
  token_expired: 'The token was valid until its `exp`',
  bad_signature: 'The signature is not that of the key',
  unknown_key: 'No key has the `kid` of the token, or it was revoked',
  wrong_algorithm: 'The `alg` is not that of the key',
  wrong_type: 'The `typ` is not that of an access token',
  missing_claim: 'A required claim is absent',
  invalid_claim: 'A claim has a wrong type or an impossible value',
  wrong_issuer: 'The `iss` is not this service',
  wrong_audience: 'The `aud` is not the configured one',
  wrong_metrics_token: 'What was sent to `/metrics` is not `METRICS_TOKEN`',
  session_ended: 'The session of the token has ended, or its user was switched off',
  not_owner: "The path names another user than the token's",
  not_admin: 'The user of the token is not an admin',
  refresh_malformed: 'What was sent does not have the form of a refresh token',
  refresh_forged: 'The refresh token was not made under our secret',
  refresh_expired: 'The session was idle for too long, or has reached its end',
  refresh_reused: 'The refresh token had been replaced',
  not_found: 'An operator named a user or a key that is not there',
  last_admin: 'The change would have left no active admin',
  key_not_ready: 'The next signing key had not been published for long enough'
} as const

export type EventType = keyof typeof EVENT_TYPES
export type FailureReason = keyof typeof FAILURE_REASONS

/** What happened; who asked for it (address, user agent, request id) is the {@link Client}. */
export interface AuditEvent {
  type: EventType
  success: boolean
  /** Required by the meaning of the row when `success` is false. */
  reason?: FailureReason
  userId?: string
  /** Canonical form only: what was typed into the field is never stored otherwise. */
  email?: string
  sessionId?: string
  /** Small, and never secret. */
  details?: Record<string, unknown>
}

/** Where a request came from, as the rules of the contract see it. */
export interface Client {
  /** Canonical text of the client's IP address. */
  address: string
  /** What counts as one client for a limit: an IPv4 address, or the /64 of an IPv6 one. */
  addressKey: string
  userAgent: string | undefined
  requestId: string
}
