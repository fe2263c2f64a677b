import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../../errors.js'
import type { Client } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'
import type { Accounts, SignedIn } from '../accounts/service.js'
import type { Events } from '../events/service.js'
import type { Users } from '../users/service.js'

export const SETUP_MINUTES = 30

export type Setup = ReturnType<typeof createSetup>

interface SetupDeps {
  db: Db
  clock: { now(): number }
  users: Users
  accounts: Accounts
  events: Events
}

export interface SetupRequest {
  token: string
  email: string
  password: string
}

interface Offer {
  hash: Buffer
  expiresAt: number
}

/**
 * The one-time link of a development start without an admin. Its token is kept in memory, as a hash; it is good once, for
 * thirty minutes, on this instance, and never once there is an admin.
 */
export function createSetup({ db, clock, users, accounts, events }: SetupDeps) {
  let offer: Offer | undefined

  /** Taken before anything is awaited, so that of two requests with the token one finds nothing. */
  function take(token: string): Offer {
    const taken = offer
    if (taken === undefined || taken.expiresAt <= clock.now() || !timingSafeEqual(taken.hash, hashOf(token))) {
      throw new ApiError('not_found')
    }
    offer = undefined
    return taken
  }

  /** False when there is an admin by now. */
  async function promote(client: Client, { user }: SignedIn): Promise<boolean> {
    return await db.transaction(async (tx) => {
      await users.lockAdmins(tx)
      if (await users.findAnyAdmin(tx)) return false
      await users.findForUpdate(tx, user.id)
      await users.update(tx, user.id, { role: 'admin' })
      const details = { by: 'setup', changes: { role: 'admin' } }
      await events.record(tx, client, {
        type: 'user_updated',
        success: true,
        userId: user.id,
        email: user.email,
        details
      })
      return true
    })
  }

  return {
    /** The token of the link; undefined when there is an admin. A second call makes the first token worthless. */
    async offer(): Promise<string | undefined> {
      if (await users.findAnyAdmin(db)) return undefined
      const token = randomBytes(32).toString('base64url')
      offer = { hash: hashOf(token), expiresAt: clock.now() + SETUP_MINUTES * 60_000 }
      return token
    },

    /**
     * Signs up the first admin, as `/auth/signup` does and with its refusals, after which the link is still good. Throws
     * `not_found` for a token that is wrong, used or too old, and when there is an admin.
     */
    async redeem(client: Client, { token, ...credentials }: SetupRequest, gone: AbortSignal): Promise<SignedIn> {
      const taken = take(token)
      try {
        if (await users.findAnyAdmin(db)) throw new ApiError('not_found')
        const signedIn = await accounts.signup(client, credentials, gone)
        if (await promote(client, signedIn)) return signedIn
      } catch (error) {
        offer = taken
        throw error
      }
      throw new ApiError('not_found')
    }
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
