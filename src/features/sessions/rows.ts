import type { SessionLimits } from './types.js'

/** What the statements of the store take and give. */
export type IdleLimit = Pick<SessionLimits, 'idleSeconds'>
export type RefreshLimits = Pick<SessionLimits, 'refreshTtlSeconds' | 'reuseIntervalSeconds'>

export interface NewSession {
  userId: string
  /** Of the secret that the first refresh token is made under. */
  keyId: number
  ipAddress: string
  userAgent: string | undefined
  sessionTtlSeconds: number
  refreshTtlSeconds: number
}

export interface InsertedSession {
  id: string
  /** The end that no refresh moves. */
  expiresAt: Date
  /** Whole seconds. */
  refreshExpiresIn: number
}

export interface Rotation {
  sessionId: string
  /** Of the token that was presented. */
  counter: number
  keyId: number
  refreshTtlSeconds: number
}

export interface Rotated {
  userId: string
  email: string
  /** Of the newest refresh token, and the secret that it is made under. */
  counter: number
  keyId: number
  expiresAt: Date
  /** Whole seconds. */
  refreshExpiresIn: number
}

/** All that a verdict needs, judged by the database's clock. */
export interface SessionState extends Rotated {
  id: string
  refreshedAt: Date
  isEnded: boolean
  /** Its absolute end has come. */
  isExpired: boolean
  /** It rested for longer than a refresh token lives. */
  isIdle: boolean
  isActive: boolean
  /** The counter last moved within the reuse interval. */
  isFresh: boolean
}

/** A session that lives and whose user is active. */
export interface CheckedSession {
  id: string
  userId: string
  email: string
  role: 'user' | 'admin'
  /** Not noted as seen for a minute. */
  isStale: boolean
}
