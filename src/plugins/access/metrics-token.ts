import { createHash, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../../errors.js'
import { bearerToken } from './bearer.js'

const digest = (token: string): Buffer => createHash('sha256').update(token).digest()

/**
 * Whether an `Authorization` header carries the one token; without one everybody may pass. Throws `missing_token`, or
 * `invalid_token` with its event. Digests are compared, in constant time: neither the length of the token nor how
 * much of it is right shows (CVE-2024-52307).
 */
export function createMetricsCheck(token: string | undefined): (authorization: string | undefined) => void {
  if (token === undefined) return () => {}
  const expected = digest(token)
  return (authorization) => {
    const presented = bearerToken(authorization)
    if (presented === undefined) throw new ApiError('missing_token')
    if (timingSafeEqual(digest(presented), expected)) return
    throw new ApiError('invalid_token', {
      audit: { type: 'token_rejected', success: false, reason: 'wrong_metrics_token' }
    })
  }
}
