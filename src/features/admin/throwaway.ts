import type { AuditEvent } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import type { UserRow, Users } from '../users/service.js'

interface ThrowawayDeps {
  db: Db
  users: Users
  events: Pick<Events, 'record'>
}

/** An account for a moment, made and removed by an operator's command. Both are events, which stay. */
export function createThrowaway({ db, users, events }: ThrowawayDeps) {
  return {
    /** `email` is canonical, and nobody's. */
    async make(account: { email: string; passwordHash: string }): Promise<UserRow> {
      return await db.transaction(async (tx) => {
        const user = await users.insert(tx, account)
        if (user === undefined) throw new Error(`there is an account of ${account.email} already`)
        await events.record(tx, undefined, { type: 'signup', success: true, ...about(user), details: { by: 'doctor' } })
        return user
      })
    },

    /** With everything that hangs on it, its sessions first. Only what `make` has returned is given here. */
    async remove(user: UserRow): Promise<void> {
      await db.transaction(async (tx) => {
        if ((await users.findForUpdate(tx, user.id)) === undefined) return
        await users.deleteIn(tx, user.id)
        const details = { by: 'doctor', changes: { removed: true } }
        await events.record(tx, undefined, { type: 'user_updated', success: true, ...about(user), details })
      })
    }
  }
}

function about({ id, email }: UserRow): Pick<AuditEvent, 'userId' | 'email'> {
  return { userId: id, email }
}
