import type { FieldFault } from '../../errors.js'
import type { AuditEvent, Client } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import type { Passwords } from '../../plugins/passwords/index.js'
import type { Events } from '../events/service.js'
import type { Sessions, StartedSession } from '../sessions/service.js'
import type { Succeeded, Throttle } from '../throttle/service.js'
import type { UserRow, Users } from '../users/service.js'
import { createAuthentication, refusal } from './authenticate.js'
import { acceptKnown, acceptNew, type Credentials, valueFaults } from './credentials.js'

export interface SignedIn {
  user: UserRow
  session: StartedSession
}

export type Accounts = ReturnType<typeof createAccounts>

interface AccountsDeps {
  db: Db
  passwords: Passwords
  users: Users
  sessions: Sessions
  throttle: Throttle
  events: Events
}

/** A login whose password was right. */
interface Checked {
  user: UserRow
  upgraded: string | undefined
  succeeded: Succeeded
}

/**
 * While bcrypt ran, the account may have been switched off, its password changed, or its hash been replaced by another
 * login of the same user. The last one must not cost a right password a 401: what is stored now is checked once more.
 */
const MOST_CHECKS = 2

/** Signup and login. `gone` aborts when the client has left: nobody is hashed for who does not wait. */
export function createAccounts({ db, passwords, users, sessions, throttle, events }: AccountsDeps) {
  const { hashing, authenticate, upgradedHash } = createAuthentication({ passwords, users })

  async function replaceHash(tx: Db, client: Client, user: UserRow, upgraded: string): Promise<void> {
    if (!(await users.updatePasswordHash(tx, user.id, { from: user.passwordHash, to: upgraded }))) return
    await events.record(tx, client, { type: 'password_rehashed', success: true, userId: user.id, email: user.email })
  }

  /** Undefined, and nothing happened, when the row is no longer the one that was checked. */
  async function signIn(
    client: Client,
    { user: checked, upgraded, succeeded }: Checked
  ): Promise<SignedIn | undefined> {
    return await db.transaction(async (tx) => {
      const user = await users.claimLogin(tx, checked.id, checked.passwordHash)
      if (user === undefined) return undefined
      const session = await sessions.start(tx, client, { userId: user.id, email: user.email })
      await events.record(tx, client, signedIn('login', user, session))
      if (upgraded !== undefined) await replaceHash(tx, client, user, upgraded)
      await succeeded(tx, user.id)
      return { user, session }
    })
  }

  return {
    /** What is wrong with the values of a body whose form is refused. */
    faults: (kind: 'signup' | 'login', body: unknown): FieldFault[] => valueFaults(kind, body, passwords),

    /** Throws `invalid_request`, `weak_password`, `overloaded` (no hash was made) or `email_taken` (one was). */
    async signup(client: Client, credentials: Credentials, gone: AbortSignal): Promise<SignedIn> {
      const email = acceptNew(credentials, passwords)
      const attempt: AuditEvent = { type: 'signup', success: false, email }
      const passwordHash = await hashing(attempt, () => passwords.hash(credentials.password, gone))
      return await db.transaction(async (tx) => {
        const user = await users.insert(tx, { email, passwordHash })
        if (user === undefined) throw refusal('email_taken', attempt, 'email_taken')
        const session = await sessions.start(tx, client, { userId: user.id, email: user.email })
        await events.record(tx, client, signedIn('signup', user, session))
        await throttle.signedUp(tx, client, { userId: user.id, email })
        return { user, session }
      })
    },

    /** Throws `invalid_request`, `account_throttled`, `overloaded`, or `invalid_credentials` for whatever cause. */
    async login(client: Client, credentials: Credentials, gone: AbortSignal): Promise<SignedIn> {
      const email = acceptKnown(credentials, passwords)
      const { password } = credentials
      return await throttle.attempt(client, email, async (succeeded) => {
        for (let tries = 0; tries < MOST_CHECKS; tries += 1) {
          const user = await authenticate({ email, password }, gone)
          const upgraded = await upgradedHash(user, password, gone)
          const done = await signIn(client, { user, upgraded, succeeded })
          if (done !== undefined) return done
        }
        throw refusal('invalid_credentials', { type: 'login', success: false, email }, 'wrong_password')
      })
    }
  }
}

function signedIn(type: 'signup' | 'login', user: UserRow, session: StartedSession): AuditEvent {
  return { type, success: true, userId: user.id, email: user.email, sessionId: session.sessionId }
}
