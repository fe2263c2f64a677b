import { ApiError } from '../../errors.js'
import type { Db } from '../../plugins/database/index.js'
import { claimLogin, findUserByEmail, findUserById, insertUser, type UserRow, updatePasswordHash } from './store.js'

export type { UserRow } from './store.js'
export type Users = ReturnType<typeof createUsers>

/** What other features may do with users; those that take a `db` join the caller's transaction. */
export function createUsers({ db }: { db: Db }) {
  return {
    /** Throws `session_ended` when the user is no more: a token cannot outlive its user. */
    async get(id: string): Promise<UserRow> {
      const user = await findUserById(db, id)
      if (user === undefined) throw new ApiError('session_ended')
      return user
    },
    findByEmail: (email: string): Promise<UserRow | undefined> => findUserByEmail(db, email),
    insert: insertUser,
    claimLogin,
    updatePasswordHash
  }
}
