import fp from 'fastify-plugin'
import { type ConfiguredClient, createClientAuth } from './client-auth.js'
import routes from './routes.js'
import { Introspection, TokenForm } from './schemas.js'
import { createOAuth } from './service.js'

interface OAuthOptions {
  /** Without any, the routes do not exist: 404. */
  clients: readonly ConfiguredClient[]
  issuer: string
  audience: string
}

export default fp<OAuthOptions>(
  async (app, { clients, issuer, audience }) => {
    if (clients.length === 0) return
    app.access.useClientCheck(createClientAuth(clients))
    app.addSchema(TokenForm)
    app.addSchema(Introspection)
    const oauth = createOAuth({ accessTokens: app.accessTokens, sessions: app.sessions, issuer, audience })
    await app.register(routes, { prefix: '/auth', oauth })
  },
  { name: 'oauth', dependencies: ['jwt', 'access', 'sessions'] }
)
