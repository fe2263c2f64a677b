import type { AuditEvent } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import type { UserRow, Users } from '../users/service.js'
import { type Actor, refused, type Target } from './actor.js'

/** The user whom a change is about, locked until the transaction ends. Throws `not_found` with an event of this type. */
export async function requireUser(
  users: Pick<Users, 'findForUpdate'>,
  tx: Db,
  actor: Actor,
  { userId, type }: { userId: string; type: AuditEvent['type'] }
): Promise<UserRow> {
  const user = await users.findForUpdate(tx, userId)
  if (user === undefined) throw refused('not_found', type, actor, { userId })
  return user
}

export function targetOf({ id, email }: UserRow): Target {
  return { userId: id, email }
}
