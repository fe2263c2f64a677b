import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import type { Sessions } from '../sessions/service.js'
import type { Users } from '../users/service.js'
import { type Actor, actedBy, refused } from './actor.js'
import { requireStillAdmin } from './still-admin.js'
import { requireUser, targetOf } from './target.js'

interface SessionAdministrationDeps {
  db: Db
  users: Users
  sessions: Pick<Sessions, 'endAll' | 'endOne'>
  events: Pick<Events, 'record'>
}

/** How admins end sessions of others. Each is one transaction with its event, which names the admin and the user. */
export function createSessionAdministration({ db, users, sessions, events }: SessionAdministrationDeps) {
  return {
    /** Ends every session of a user, with one event. Throws `not_found`. */
    async endSessions(actor: Actor, userId: string): Promise<void> {
      await db.transaction(async (tx) => {
        const user = await requireUser(users, tx, actor, { userId, type: 'session_revoked' })
        await requireStillAdmin(users, tx, actor)
        const details = { ...actedBy(actor), sessions_ended: await sessions.endAll(tx, userId) }
        await events.record(tx, actor.client, { type: 'session_revoked', success: true, ...targetOf(user), details })
      })
    },

    /** Ends one. Throws `not_found` for one that is unknown, another user's, or over. */
    async endSession(actor: Actor, userId: string, sessionId: string): Promise<void> {
      await db.transaction(async (tx) => {
        const user = await requireUser(users, tx, actor, { userId, type: 'session_revoked' })
        await requireStillAdmin(users, tx, actor)
        const target = { ...targetOf(user), sessionId }
        if (!(await sessions.endOne(tx, { userId, sessionId }))) {
          throw refused('not_found', 'session_revoked', actor, target)
        }
        const details = { ...actedBy(actor), sessions_ended: 1 }
        await events.record(tx, actor.client, { type: 'session_revoked', success: true, ...target, details })
      })
    }
  }
}
