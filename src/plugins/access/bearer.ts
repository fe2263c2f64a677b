import { ApiError } from '../../errors.js'

/** Longer tokens are refused unread: ours have less than 1 KiB. */
const MAX_TOKEN_LENGTH = 8192

/** RFC 9110, section 11.1: the scheme is a token, without regard to case, and ends where the token does. */
const BEARER = /^bearer(?![!#$%&'*+.^_`|~0-9A-Za-z-])/i

/** RFC 6750, section 2.1: one space, then a b64token. */
const CREDENTIALS = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i

/**
 * The access token of an `Authorization` header; undefined where no bearer was sent, which includes another scheme.
 * Throws `invalid_token` for a bearer that cannot be a token.
 */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !BEARER.test(authorization)) return undefined
  if (authorization.length > 'bearer '.length + MAX_TOKEN_LENGTH) throw malformed()
  const token = CREDENTIALS.exec(authorization)?.[1]
  if (token === undefined) throw malformed()
  return token
}

function malformed(): ApiError {
  return new ApiError('invalid_token', {
    audit: { type: 'token_rejected', success: false, reason: 'token_malformed' }
  })
}
