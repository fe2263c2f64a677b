import { ApiError } from '../../errors.js'
import type { Db } from '../../plugins/database/index.js'
import {
  claimLogin,
  deleteUser,
  findAnyAdmin,
  findUserByEmail,
  findUserById,
  findUserForUpdate,
  insertAdmin,
  insertUser,
  listNewestUsers,
  listUsersByEmail,
  lockAdmins,
  type UserRow,
  updatePasswordHash,
  updateUser
} from './store.js'

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
    find: (id: string): Promise<UserRow | undefined> => findUserById(db, id),
    findIn: findUserById,
    findByEmailIn: findUserByEmail,
    findByEmail: (email: string): Promise<UserRow | undefined> => findUserByEmail(db, email),
    insert: insertUser,
    claimLogin,
    updatePasswordHash,

    /** For operators. Whoever changes a role or `isActive` calls `lockAdmins` first, then locks the user's row. */
    listNewest: (page: { before: string | undefined; limit: number }): Promise<UserRow[]> =>
      listNewestUsers(db, page).then((rows) => rows),
    listByEmail: (page: { prefix: string; after: string | undefined; limit: number }): Promise<UserRow[]> =>
      listUsersByEmail(db, page).then((rows) => rows),
    lockAdmins,
    findForUpdate: findUserForUpdate,
    update: updateUser,
    insertAdmin,
    findAnyAdmin,

    /** For a throw-away account alone: others are switched off, and stay. */
    deleteIn: deleteUser
  }
}
