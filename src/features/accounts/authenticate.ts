import { ApiError, type ErrorCode } from '../../errors.js'
import type { AuditEvent, FailureReason } from '../../events.js'
import type { Passwords } from '../../plugins/passwords/index.js'
import type { UserRow, Users } from '../users/service.js'
import type { Credentials } from './credentials.js'

/** Checks and makes password hashes on behalf of an attempt. `gone` aborts when its client has left. */
export function createAuthentication({ passwords, users }: { passwords: Passwords; users: Users }) {
  /** A password hash that was shed is an event of the operation that asked for it. */
  async function hashing<T>(attempt: AuditEvent, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof ApiError && error.code === 'overloaded')
        throw refusal('overloaded', attempt, 'overloaded', error)
      throw error
    }
  }

  /** Same work for every cause of refusal: one look-up, one bcrypt, one event. */
  async function authenticate({ email, password }: Credentials, gone: AbortSignal): Promise<UserRow> {
    const user = await users.findByEmail(email)
    const attempt: AuditEvent = { type: 'login', success: false, email, ...(user && { userId: user.id }) }
    const matches = await hashing(attempt, () => passwords.verify(password, user?.passwordHash, gone))
    if (user === undefined) throw refusal('invalid_credentials', attempt, 'unknown_email')
    if (!matches) throw refusal('invalid_credentials', attempt, 'wrong_password')
    if (!user.isActive) throw refusal('invalid_credentials', attempt, 'inactive_account')
    return user
  }

  /** Hashed before the transaction, so that bcrypt holds no connection and no lock. */
  async function upgradedHash(user: UserRow, password: string, gone: AbortSignal): Promise<string | undefined> {
    if (!passwords.needsRehash(user.passwordHash)) return undefined
    try {
      return await passwords.hash(password, gone)
    } catch (error) {
      // The login is good; the next one tries again.
      if (error instanceof ApiError && error.code === 'overloaded') return undefined
      throw error
    }
  }

  return { hashing, authenticate, upgradedHash }
}

export function refusal(code: ErrorCode, attempt: AuditEvent, reason: FailureReason, cause?: ApiError): ApiError {
  const retryAfterSeconds = cause?.options.retryAfterSeconds
  return new ApiError(code, {
    audit: { ...attempt, reason },
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    cause
  })
}
