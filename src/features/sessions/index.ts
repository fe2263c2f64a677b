import fp from 'fastify-plugin'
import { createRefreshTokens } from '../../lib/refresh-token.js'
import { createSweeper } from '../../lib/sweeper.js'
import routes from './routes.js'
import { LogoutRequest, RefreshRequest, Session, SessionList } from './schemas.js'
import { createSessions, type Sessions } from './service.js'
import { SWEEP_EVERY_MS, sweepSessions } from './sweep.js'

declare module 'fastify' {
  interface FastifyInstance {
    sessions: Sessions
  }
}

interface SessionsOptions {
  authSecret: Buffer | undefined
  authSecretPrevious: Buffer | undefined
  accessTokenTtlSeconds: number
  refreshTokenTtlSeconds: number
  sessionTtlSeconds: number
  refreshReuseIntervalSeconds: number
}

export default fp<SessionsOptions>(
  async (app, options) => {
    if (options.authSecret === undefined) throw new Error('refresh tokens need AUTH_SECRET')
    const sessions = createSessions({
      db: app.db,
      events: app.events,
      accessTokens: app.accessTokens,
      refreshTokens: createRefreshTokens({ secret: options.authSecret, previous: options.authSecretPrevious }),
      limits: {
        sessionTtlSeconds: options.sessionTtlSeconds,
        refreshTtlSeconds: options.refreshTokenTtlSeconds,
        reuseIntervalSeconds: options.refreshReuseIntervalSeconds,
        idleSeconds: Math.max(options.refreshTokenTtlSeconds, options.accessTokenTtlSeconds)
      }
    })
    const sweeper = createSweeper({
      everyMs: SWEEP_EVERY_MS,
      sweep: (shouldStop) => sweepSessions(app.db, shouldStop),
      onError: (error) => app.log.warn({ err: error }, 'sessions were not swept')
    })
    app.decorate('sessions', sessions)
    app.access.useSessionCheck(sessions.check)
    app.database.onReady(async () => sweeper.start())
    app.addHook('onClose', async () => {
      sessions.close()
      await sweeper.stop()
    })
    for (const schema of [RefreshRequest, LogoutRequest, Session, SessionList]) app.addSchema(schema)
    await app.register(routes, { prefix: '/auth', sessions })
  },
  { name: 'sessions', dependencies: ['database', 'events', 'jwt', 'users', 'rate-limit', 'access'] }
)
