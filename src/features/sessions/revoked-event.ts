import type { AuditEvent } from '../../events.js'
import type { SessionOwner } from './types.js'

/** Who ended a session that was not logged out of: its user from the list, the limit, or a client (RFC 7009). */
export type RevokedBy = { by: 'user' } | { by: 'limit' } | { by: 'client'; client_id: string }

export function revokedEvent(owner: SessionOwner, by: RevokedBy): AuditEvent {
  return { type: 'session_revoked', success: true, ...owner, details: { ...by } }
}
