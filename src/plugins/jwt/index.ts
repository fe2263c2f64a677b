import { randomBytes } from 'node:crypto'
import fastifyJwt from '@fastify/jwt'
import fp from 'fastify-plugin'
import { createAccessTokens } from './access-tokens.js'

export type { AccessClaims, AccessTokens } from './types.js'

interface JwtOptions {
  issuer: string
  audience: string
  accessTokenTtlSeconds: number
}

/** Issues and checks access tokens. Nothing else calls `app.jwt`, which would sign without an end. */
export default fp<JwtOptions>(
  async (app, { issuer, audience, accessTokenTtlSeconds }) => {
    // Every call names its key. A call that forgot to would use this one, which nobody knows and nothing was signed by.
    await app.register(fastifyJwt, { secret: randomBytes(32) })
    const accessTokens = createAccessTokens({
      jwt: app.jwt,
      keys: app.keys,
      clock: app.clock,
      issuer,
      audience,
      ttlSeconds: accessTokenTtlSeconds
    })
    app.decorate('accessTokens', accessTokens)
  },
  { name: 'jwt', dependencies: ['keys', 'clock'] }
)
