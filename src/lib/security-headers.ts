/**
 * On every answer, whatever made it. Written out rather than taken from a library: they are constant for an
 * API that serves no page of its own, and must also stand on answers that no framework hook sees.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
})

/**
 * Only for a request that came by https (RFC 6797, section 7.2). One year. Not `includeSubDomains`: one service behind a
 * gateway does not decide for every other host of the domain.
 */
export const STRICT_TRANSPORT_SECURITY = 'max-age=31536000'
