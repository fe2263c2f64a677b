import fp from 'fastify-plugin'
import { createEmailViews, type EmailSecrets } from '../../lib/email-view.js'
import { createSweeper } from '../../lib/sweeper.js'
import routes from './routes.js'
import { SCHEMAS } from './schemas.js'
import { createLive, createMonitoring, type Monitoring } from './service.js'

declare module 'fastify' {
  interface FastifyInstance {
    monitoring: Monitoring
  }
}

const SUM_UP_EVERY_MS = 5 * 60_000

/** What operators read of the trail, and the sums that long spans are read from. */
export default fp<EmailSecrets>(
  async (app, options) => {
    const emails = createEmailViews(options)
    const monitoring = createMonitoring({ db: app.db, emails })
    const live = createLive({
      db: app.db,
      check: async (token) => (await app.sessions.check(await app.accessTokens.check(token))).role === 'admin'
    })
    const keeper = createSweeper({
      everyMs: SUM_UP_EVERY_MS,
      sweep: monitoring.sumUp,
      onError: (error) => app.log.warn({ err: error }, 'events were not summed up')
    })
    app.decorate('monitoring', monitoring)
    app.database.onReady(async () => keeper.start())
    app.addHook('preClose', async () => live.close())
    app.addHook('onClose', async () => keeper.stop())
    for (const schema of SCHEMAS) app.addSchema(schema)
    await app.register(routes, { prefix: '/admin/api', monitoring, live, emails })
  },
  { name: 'monitoring', dependencies: ['admin-trail', 'database', 'events', 'users', 'sessions', 'jwt'] }
)
