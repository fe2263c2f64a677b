import { ApiError } from '../../errors.js'
import type { AuditEvent } from '../../events.js'
import type { Events } from '../events/service.js'
import type { KeyAuthor, KeyDescription, Keys, Rotation } from '../keys/service.js'
import type { Users } from '../users/service.js'
import { type Actor, actedBy, actionEvent } from './actor.js'
import { requireStillAdmin } from './still-admin.js'

export interface KeyAdministrationDeps {
  keys: Pick<Keys, 'list' | 'rotate' | 'revoke'>
  users: Pick<Users, 'findIn'>
  events: Pick<Events, 'record'>
}

/** What admins do to signing keys. Each change has one event, in its transaction, which names the admin. */
export function createKeyAdministration({ keys, users, events }: KeyAdministrationDeps) {
  const author = (actor: Actor, action: string, target: Record<string, unknown>): KeyAuthor => ({
    permit: (tx) => requireStillAdmin(users, tx, actor),
    record: (tx, event) => events.record(tx, actor.client, by(actor, event)),
    recordRepeat: (tx) => events.record(tx, actor.client, actionEvent(actor, action, { ...target, repeat: true }))
  })

  return {
    /** All there ever were, oldest first. */
    listKeys: (): Promise<KeyDescription[]> => keys.list(),

    /** See {@link Keys.rotate}. Throws `key_not_ready`, which is on record too. */
    async rotateKey(actor: Actor, force: boolean): Promise<Rotation> {
      return await keys
        .rotate({ force, author: author(actor, 'keys.rotate', {}) })
        .catch(onRecord(actor, { type: 'key_rotated', success: false, details: { force } }))
    },

    /** See {@link Keys.revoke}. Throws `not_found`, which is on record too. A key that is revoked stays as it is. */
    async revokeKey(actor: Actor, kid: string): Promise<KeyDescription> {
      return await keys
        .revoke(kid, author(actor, 'keys.revoke', { kid }))
        .catch(onRecord(actor, { type: 'key_revoked', success: false, details: { kid } }))
    }
  }
}

/** Nobody's account is changed, so that the event's user is the admin. */
function by(actor: Actor, event: AuditEvent): AuditEvent {
  return { ...actor.identity, ...event, details: { ...event.details, ...actedBy(actor) } }
}

function onRecord(actor: Actor, event: AuditEvent): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ApiError)) throw error
    const reasons: Partial<Record<string, AuditEvent['reason']>> = {
      key_not_ready: 'key_not_ready',
      not_found: 'not_found',
      // There is nothing to rotate where JWT_SECRET signs.
      invalid_request: 'invalid_request'
    }
    const reason = reasons[error.code]
    if (reason === undefined) throw error
    throw new ApiError(error.code, { ...error.options, audit: by(actor, { ...event, reason }) })
  }
}
