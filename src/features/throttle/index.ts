import fp from 'fastify-plugin'
import { createSweeper } from '../../lib/sweeper.js'
import { createThrottle, type Throttle } from './service.js'
import { SWEEP_EVERY_MS, sweepThrottle } from './sweep.js'

declare module 'fastify' {
  interface FastifyInstance {
    throttle: Throttle
  }
}

/** Failed attempts for each account: whoever checks a password does it through `app.throttle`. */
export default fp(
  async (app) => {
    const sweeper = createSweeper({
      everyMs: SWEEP_EVERY_MS,
      sweep: (shouldStop) => sweepThrottle(app.db, shouldStop),
      onError: (error) => app.log.warn({ err: error }, 'failed attempts were not swept')
    })
    app.decorate('throttle', createThrottle(app))
    app.database.onReady(async () => sweeper.start())
    app.addHook('onClose', async () => sweeper.stop())
  },
  { name: 'throttle', dependencies: ['database', 'events', 'users'] }
)
