import { ApiError } from '../../errors.js'
import type { AuditEvent } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import type { UserRow, Users } from '../users/service.js'
import type { Actor } from './actor.js'

export function isActiveAdmin({ role, isActive }: Pick<UserRow, 'role' | 'isActive'>): boolean {
  return role === 'admin' && isActive
}

/**
 * For the transaction of a change: the access rule has asked the database before, but not inside it. Throws
 * `admin_required` with its event.
 */
export async function requireStillAdmin(users: Pick<Users, 'findIn'>, tx: Db, { identity }: Actor): Promise<void> {
  const user = await users.findIn(tx, identity.userId)
  if (user !== undefined && isActiveAdmin(user)) return
  const audit: AuditEvent = { type: 'admin_denied', success: false, reason: 'not_admin', ...identity }
  throw new ApiError('admin_required', { audit })
}
