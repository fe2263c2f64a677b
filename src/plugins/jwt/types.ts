/** What an access token says, after every check. `userId` and `sessionId` are canonical lower-case UUIDs. */
export interface AccessClaims {
  userId: string
  email: string
  sessionId: string
  tokenId: string
  issuedAt: Date
  expiresAt: Date
}

export interface AccessTokenSubject {
  userId: string
  email: string
  sessionId: string
  sessionExpiresAt: Date
}

/** A key, as far as a token is concerned. The same object for as long as it is accepted. */
export interface TokenKey {
  readonly kid: string
  readonly algorithm: 'HS256' | 'ES256' | 'EdDSA' | 'RS256'
  readonly signWith: string | Buffer
  readonly verifyWith: string | Buffer
}

/** What the keys feature offers to whoever signs and checks. */
export interface TokenKeys {
  /** Throws `unavailable` before the keys are loaded. */
  current(): TokenKey
  /** Undefined for one that is unknown, retired or revoked. Throws `unavailable` when that cannot be known. */
  find(kid: string): Promise<TokenKey | undefined>
}

export interface AccessTokens {
  /** Signs with the current key. The token ends with its session at the latest; `expiresIn` is in whole seconds. */
  issue(subject: AccessTokenSubject): Promise<{ token: string; expiresIn: number }>
  /**
   * Every check that needs no session. Throws ApiError `invalid_token` or `token_expired` with its `token_rejected`
   * event, or `unavailable` when it cannot be known whether the key was revoked.
   */
  check(token: string): Promise<AccessClaims>
}

declare module 'fastify' {
  interface FastifyInstance {
    accessTokens: AccessTokens
  }
}
