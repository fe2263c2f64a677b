import fp from 'fastify-plugin'
import { createAccessTokens } from './access-tokens.js'

export type { AccessClaims, AccessTokens } from './types.js'

interface JwtOptions {
  issuer: string
  audience: string
  accessTokenTtlSeconds: number
}

/** Issues and checks access tokens. */
export default fp<JwtOptions>(
  async (app, { issuer, audience, accessTokenTtlSeconds }) => {
    const { keys, clock } = app
    const accessTokens = createAccessTokens({ keys, clock, issuer, audience, ttlSeconds: accessTokenTtlSeconds })
    app.decorate('accessTokens', accessTokens)
  },
  { name: 'jwt', dependencies: ['keys', 'clock'] }
)
