import { randomUUID } from 'node:crypto'
import fp from 'fastify-plugin'
import { createHousekeeping } from './housekeeping.js'
import { eventOf } from './refusal.js'
import routes from './routes.js'
import { AuthEvent, AuthEventList } from './schemas.js'
import { createEvents, type Events, serviceStarted } from './service.js'

declare module 'fastify' {
  interface FastifyInstance {
    events: Events
  }
}

interface EventsOptions {
  eventsRetentionSeconds: number
}

/** The audit trail. It stands early in the list: whoever changes or refuses something writes to it. */
export default fp<EventsOptions>(
  async (app, { eventsRetentionSeconds }) => {
    const events = createEvents(app)
    const { db, log } = app
    const housekeeping = createHousekeeping({ db, retentionSeconds: eventsRetentionSeconds, log })
    const started = serviceStarted(randomUUID())
    let isRecorded = false

    app.decorate('events', events)
    app.errors.onRefusal(async (error, request) => {
      const event = eventOf(error, request.routeOptions.config?.event)
      if (event !== undefined) await events.refuse(request.client, event)
    })
    app.database.onReady(async () => {
      await housekeeping.start()
      // A later hook may fail, and all of them are then called again.
      if (!isRecorded) await events.record(db, undefined, started)
      isRecorded = true
    })
    // The server has stopped by then, and the database, which is above in the list, is closed later.
    app.addHook('onClose', async () => {
      await housekeeping.stop()
      await events.close()
    })
  },
  { name: 'events', dependencies: ['clock', 'errors', 'client', 'database'] }
)

/** The user's own view of it. It stands below `access`, which looks only at routes that come after it. */
export const eventHistory = fp(
  async (app) => {
    app.addSchema(AuthEvent)
    app.addSchema(AuthEventList)
    await app.register(routes, { prefix: '/auth', events: app.events })
  },
  { name: 'event-history', dependencies: ['events', 'access'] }
)
