import { ApiError, type ErrorCode } from '../../errors.js'
import type { AuditEvent, Client, FailureReason } from '../../events.js'
import type { Identity } from '../../plugins/access/types.js'

/** The admin behind a call, and where it came from. */
export interface Actor {
  client: Client
  identity: Pick<Identity, 'userId' | 'email' | 'sessionId'>
}

/** Whom a change is about. `email` is absent where there is no such user. */
export interface Target {
  userId: string
  email?: string
  sessionId?: string
}

/** What an event's details say of who did it: the event's own user is the one that was changed. */
export function actedBy({ identity }: Actor): Record<string, unknown> {
  return { by: 'admin', actor_user_id: identity.userId, actor_email: identity.email }
}

/** The event of a call that changes nothing: its user is the admin, and `target` says what the call named. */
export function actionEvent({ identity }: Actor, action: string, target: Record<string, unknown>): AuditEvent {
  return { type: 'admin_action', success: true, ...identity, details: { action, ...target } }
}

/** The refused call is on record too, under the reason that its answer has as its code. */
export function refused(
  code: ErrorCode & FailureReason,
  type: AuditEvent['type'],
  actor: Actor,
  target: Target
): ApiError {
  return new ApiError(code, { audit: { type, success: false, reason: code, ...target, details: actedBy(actor) } })
}
