import type { AccessClaims } from '../jwt/types.js'

/**
 * Who may call a route. `bearer`: any user with a live session. `owner`: the user whom the path names as `:user_id`.
 * `admin`: a user whose role is admin now. `client`: an application with its own credentials. `optional-bearer`: anybody,
 * but a token that is sent must be good; whether its session lives is not asked. `metrics`: whoever sends METRICS_TOKEN;
 * anybody where there is none.
 */
export type Access = 'public' | 'bearer' | 'owner' | 'admin' | 'client' | 'optional-bearer' | 'metrics'

export interface Identity {
  /** Canonical lower-case UUIDs. */
  userId: string
  sessionId: string
  email: string
  role: 'user' | 'admin'
}

/** Whether the session of good claims lives. Throws ApiError `session_ended` with its event, or `unavailable`. */
export type SessionCheck = (claims: AccessClaims) => Promise<Omit<Identity, 'sessionId'>>

/** The id of the client that an `Authorization` header proves. Throws ApiError `invalid_client`. */
export type ClientCheck = (authorization: string | undefined) => string | Promise<string>

export interface AccessControl {
  /** For the feature that owns sessions; once. */
  useSessionCheck(check: SessionCheck): void
  /** For the feature that owns client credentials; once. */
  useClientCheck(check: ClientCheck): void
  /** How many requests were refused because they had no bearer at all. They are no events. */
  missingTokens(): number
  /** How many requests were let through because their bearer was good, session and all. */
  acceptedTokens(): number
}

declare module 'fastify' {
  interface FastifyInstance {
    access: AccessControl
  }
  interface FastifyContextConfig {
    /** Required on every route. */
    access?: Access
    /** A third party's page, whose answers have no schemas. Of use only to a route from before the access plugin. */
    foreign?: true
  }
  interface FastifyRequest {
    /** Of the token. Undefined on a `public` or `client` route, and without a token on an `optional-bearer` one. */
    identity: Identity
    /** On a `client` route only. */
    clientId: string
  }
}
