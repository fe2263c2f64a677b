import fp from 'fastify-plugin'
import { metadata } from './discovery.js'
import routes from './routes.js'
import { KeySet, Metadata } from './schemas.js'
import { createKeys, type Keys } from './service.js'
import { type KeySettings, keySettings } from './settings.js'
import { createUpkeep } from './upkeep.js'

declare module 'fastify' {
  interface FastifyInstance {
    keys: Keys
  }
}

export default fp<KeySettings>(
  async (app, options) => {
    const { db, events, clock, log } = app
    const keys = createKeys({ db, events, clock, log, ...keySettings(options) })
    const upkeep = createUpkeep(() => keys.tick(), app.log)
    app.decorate('keys', keys)
    app.database.onReady(async () => {
      await keys.start()
      upkeep.start()
    })
    app.addHook('onClose', async () => upkeep.stop())
  },
  { name: 'keys', dependencies: ['database', 'events', 'clock'] }
)

interface DiscoveryOptions {
  issuer: string
  clients: readonly unknown[]
  keyPublishAheadSeconds: number
}

const MAX_AGE_SECONDS = 300

/** What instances and clocks are behind each other has to fit in, too, before a published key signs. */
const maxAge = (publishAheadSeconds: number): number => Math.min(MAX_AGE_SECONDS, Math.floor(publishAheadSeconds / 2))

/** The routes, registered once `access` stands: a key set is needed before it, its URL after it. */
export const discovery = fp<DiscoveryOptions>(
  async (app, { issuer, clients, keyPublishAheadSeconds }) => {
    app.addSchema(KeySet)
    app.addSchema(Metadata)
    await app.register(routes, {
      keys: app.keys,
      metadata: metadata(issuer, clients.length > 0),
      maxAgeSeconds: maxAge(keyPublishAheadSeconds)
    })
  },
  { name: 'discovery', dependencies: ['keys', 'access'] }
)
