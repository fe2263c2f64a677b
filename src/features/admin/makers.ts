import { ApiError } from '../../errors.js'
import type { AuditEvent, Client } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import type { UserRow, Users } from '../users/service.js'

/** Who made an admin without being one: the command line, or the link in the log of a first start. */
export type MadeBy = 'cli' | 'setup'

interface MakerDeps {
  db: Db
  users: Users
  events: Pick<Events, 'record'>
  /** Ends every session of a user in the transaction, whose lock on the user's row is held. Returns how many lived. */
  endSessions(tx: Db, userId: string): Promise<number>
}

/** Makes admins where there may be none. Each is an event; `client` is undefined when it was no request. */
export function createAdminMaker({ db, users, events, endSessions }: MakerDeps) {
  async function recordRole(
    tx: Db,
    client: Client | undefined,
    by: MadeBy,
    user: UserRow,
    ended: number
  ): Promise<void> {
    const details = { by, changes: { role: 'admin' }, sessions_ended: ended }
    await events.record(tx, client, { type: 'user_updated', success: true, ...about(user), details })
  }

  return {
    /** A new account. `email` is canonical. Throws `email_taken`. */
    async create(by: MadeBy, account: { email: string; passwordHash: string }, client?: Client): Promise<UserRow> {
      return await db.transaction(async (tx) => {
        await users.lockAdmins(tx)
        const user = await users.insertAdmin(tx, account)
        if (user === undefined) throw new ApiError('email_taken')
        await events.record(tx, client, { type: 'signup', success: true, ...about(user), details: { by } })
        await recordRole(tx, client, by, user, 0)
        return user
      })
    },

    /**
     * An account that is there becomes an active admin, and keeps its password. Whoever is logged in to it is logged out: anybody may
     * have made it. Undefined when there is no such account.
     */
    async promote(by: MadeBy, email: string): Promise<UserRow | undefined> {
      return await db.transaction(async (tx) => {
        await users.lockAdmins(tx)
        const found = await users.findByEmailIn(tx, email)
        const before = found && (await users.findForUpdate(tx, found.id))
        if (before === undefined) return undefined
        const user = await users.update(tx, before.id, { role: 'admin', isActive: true })
        await recordRole(tx, undefined, by, user, await endSessions(tx, user.id))
        return user
      })
    }
  }
}

function about({ id, email }: UserRow): Pick<AuditEvent, 'userId' | 'email'> {
  return { userId: id, email }
}
