import { v7 as uuidv7 } from 'uuid'
import type { AuditEvent, Client } from '../../events.js'
import { printable } from '../../lib/printable.js'
import type { NewEvent } from './store.js'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const EMAIL = /^(?=.{3,254}$)[!-?A-~]+@[!-?A-~]+$/

/** A token signed with a shared JWT_SECRET may claim anything: what PostgreSQL would not take must not stop the row. */
function matching(form: RegExp, value: string | undefined): string | null {
  return value !== undefined && form.test(value) ? value : null
}

/** What is written of an event. Without a client it is the service's own act. */
export function toRow(client: Client | undefined, event: AuditEvent): NewEvent {
  return {
    id: uuidv7(),
    eventType: event.type,
    userId: matching(UUID, event.userId),
    email: matching(EMAIL, event.email),
    sessionId: matching(UUID, event.sessionId),
    ipAddress: client?.address ?? null,
    // The header comes from whoever sends it, and is read by operators, in terminals too.
    userAgent: client?.userAgent ? printable(client.userAgent) : null,
    success: event.success,
    failureReason: event.reason ?? null,
    requestId: client?.requestId ?? null,
    details: event.details ?? null
  }
}
