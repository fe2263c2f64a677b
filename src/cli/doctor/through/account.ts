import { randomBytes } from 'node:crypto'
import type { Config } from '../../../config.js'
import type { Db } from '../../../plugins/database/index.js'
import { passwordsOf } from '../../password.js'

export interface Account {
  userId: string
  email: string
  password: string
}

/**
 * A user of doctor's own for as long as `use` takes, whose password nobody knows and whose address no mail reaches (RFC 2606).
 * Removed at the end, whatever comes of it.
 */
export async function withAccount<T>(db: Db, config: Config, use: (account: Account) => Promise<T>): Promise<T> {
  const { createThrowaway } = await import('../../../features/admin/throwaway.js')
  const { createUsers } = await import('../../../features/users/service.js')
  const { record } = await import('../../../features/events/service.js')
  const throwaway = createThrowaway({ db, users: createUsers({ db }), events: { record } })
  const email = `doctor-${randomBytes(8).toString('hex')}@postern.invalid`
  const password = `Aa1${randomBytes(24).toString('base64url')}`
  const passwords = await passwordsOf(config)
  const user = await throwaway.make({ email, passwordHash: await passwords.hash(password) })
  try {
    return await use({ userId: user.id, email, password })
  } finally {
    await throwaway.remove(user)
  }
}
