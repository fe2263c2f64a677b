import fp from 'fastify-plugin'
import { metadata } from './discovery.js'
import routes from './routes.js'
import { KeySet, Metadata } from './schemas.js'
import { createKeys, type Keys } from './service.js'
import type { AsymmetricAlgorithm } from './types.js'
import { createUpkeep } from './upkeep.js'

declare module 'fastify' {
  interface FastifyInstance {
    keys: Keys
  }
}

interface KeysOptions {
  authSecret: Buffer | undefined
  authSecretPrevious: Buffer | undefined
  jwtSecret: Buffer | undefined
  jwtAlgorithm: AsymmetricAlgorithm
  keyRotationSeconds: number
  keyPublishAheadSeconds: number
  accessTokenTtlSeconds: number
}

export default fp<KeysOptions>(
  async (app, options) => {
    const { authSecret, authSecretPrevious, jwtSecret } = options
    if (authSecret === undefined) throw new Error('signing keys need AUTH_SECRET')
    const keys = createKeys({
      db: app.db,
      events: app.events,
      clock: app.clock,
      log: app.log,
      secrets: { authSecret, authSecretPrevious, jwtSecret },
      schedule: {
        algorithm: options.jwtAlgorithm,
        rotationSeconds: options.keyRotationSeconds,
        publishAheadSeconds: options.keyPublishAheadSeconds,
        tokenTtlSeconds: options.accessTokenTtlSeconds
      }
    })
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

/** The routes, registered once `access` stands: a key set is needed before it, its URL after it. */
export const discovery = fp<DiscoveryOptions>(
  async (app, { issuer, clients, keyPublishAheadSeconds }) => {
    app.addSchema(KeySet)
    app.addSchema(Metadata)
    await app.register(routes, {
      keys: app.keys,
      metadata: metadata(issuer, clients.length > 0),
      maxAgeSeconds: Math.min(MAX_AGE_SECONDS, keyPublishAheadSeconds)
    })
  },
  { name: 'discovery', dependencies: ['keys', 'access'] }
)
