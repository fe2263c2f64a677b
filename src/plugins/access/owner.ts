import { ApiError } from '../../errors.js'
import type { Identity } from './types.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * The owner rule: the path's `user_id` is the token's. Both are compared in canonical lower case. Throws `invalid_request`
 * for what is no UUID, then `not_your_resource` with its event.
 */
export function requireOwner(params: unknown, { userId, email, sessionId }: Identity): void {
  const named = String(Object(params).user_id).toLowerCase()
  if (!UUID.test(named)) {
    const message = 'Does not have the required form.'
    throw new ApiError('invalid_request', { errors: [{ field: 'user_id', code: 'invalid_format', message }] })
  }
  if (named === userId) return
  const details = { requested_user_id: named }
  throw new ApiError('not_your_resource', {
    audit: { type: 'ownership_denied', success: false, reason: 'not_owner', userId, email, sessionId, details }
  })
}
