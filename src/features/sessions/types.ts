import type { RefreshTokens } from '../../lib/refresh-token.js'
import type { Db } from '../../plugins/database/index.js'
import type { AccessTokens } from '../../plugins/jwt/types.js'
import type { Events } from '../events/service.js'

/** All in seconds. */
export interface SessionLimits {
  /** From login to the end, whatever happens. */
  sessionTtlSeconds: number
  /** How long a refresh token waits to be used. */
  refreshTtlSeconds: number
  /** For so long the token before the newest one is answered again. 0: never. */
  reuseIntervalSeconds: number
  /** After so long without a refresh neither kind of token can be good. */
  idleSeconds: number
}

/** What the use cases of this feature are made from. */
export interface SessionsDeps {
  db: Db
  events: Events
  accessTokens: AccessTokens
  refreshTokens: RefreshTokens
  limits: SessionLimits
}

/** The user and the session behind a request. */
export interface SessionOwner {
  userId: string
  email: string
  sessionId: string
}

/** Everything that a token answer says besides whose it is. */
export interface StartedSession {
  sessionId: string
  token: string
  /** Whole seconds. */
  expiresIn: number
  refreshToken: string
  /** Whole seconds. */
  refreshExpiresIn: number
}
