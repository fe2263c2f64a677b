import { ApiError } from '../../errors.js'
import type { Db } from '../../plugins/database/index.js'
import type { EventRow, Events } from '../events/service.js'
import type { SessionRow, Sessions } from '../sessions/service.js'
import type { UserRow, Users } from '../users/service.js'
import { type Actor, actedBy, refused } from './actor.js'
import { createUserSearch } from './search.js'
import { isActiveAdmin, requireStillAdmin } from './still-admin.js'
import { requireUser, targetOf } from './target.js'

export interface UserChange {
  isActive?: boolean
  role?: UserRow['role']
}

/** A user as an operator sees it. */
export interface UserDossier {
  user: UserRow
  /** Live ones, newest first. */
  sessions: SessionRow[]
  /** The newest. */
  events: EventRow[]
}

export interface UserAdministrationDeps {
  db: Db
  users: Users
  sessions: Sessions
  events: Events
}

const DOSSIER_EVENTS = 50

/** What admins do to users. Every change is one transaction with its event, which names the admin and the user. */
export function createUserAdministration({ db, users, sessions, events }: UserAdministrationDeps) {
  return {
    searchUsers: createUserSearch(users),

    /** Throws `not_found`. */
    async getUser(userId: string): Promise<UserDossier> {
      const user = await users.find(userId)
      if (user === undefined) throw new ApiError('not_found')
      const page = await events.list(userId, { cursor: undefined, limit: DOSSIER_EVENTS })
      return { user, sessions: await sessions.list(userId), events: page.events }
    },

    /**
     * Whoever is switched off loses all sessions in the same transaction. Throws `not_found`, or `last_admin` when no active admin
     * would be left: such changes come one after the other, so that two admins cannot demote each other at once.
     */
    async updateUser(actor: Actor, userId: string, change: UserChange): Promise<UserRow> {
      return await db.transaction(async (tx) => {
        await users.lockAdmins(tx)
        const before = await requireUser(users, tx, actor, { userId, type: 'user_updated' })
        const losesAdmin = isActiveAdmin(before) && !isActiveAdmin({ ...before, ...change })
        if (losesAdmin && !(await users.findAnyAdmin(tx, userId))) {
          throw refused('last_admin', 'user_updated', actor, targetOf(before))
        }
        await requireStillAdmin(users, tx, actor)
        const user = await users.update(tx, userId, change)
        const ended = change.isActive === false ? await sessions.endAll(tx, userId) : 0
        const details = { ...actedBy(actor), changes: changesOf(before, user), sessions_ended: ended }
        await events.record(tx, actor.client, { type: 'user_updated', success: true, ...targetOf(user), details })
        return user
      })
    }
  }
}

/** What is different, as the wire names it. */
function changesOf(before: UserRow, after: UserRow): Record<string, unknown> {
  return {
    ...(after.isActive !== before.isActive && { is_active: after.isActive }),
    ...(after.role !== before.role && { role: after.role })
  }
}
