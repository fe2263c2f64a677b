import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createEmailViews, type EmailSecrets } from '../../lib/email-view.js'
import operationRoutes from './operation-routes.js'
import routes, { setupRoutes } from './routes.js'
import { SCHEMAS, type SettingState } from './schemas.js'
import { createAdmin } from './service.js'
import { createSetup, SETUP_MINUTES } from './setup.js'
import { createTrail } from './trail.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Required on a route whose access is `admin`: what its event calls it, such as `users.list`. */
    action?: string
    /** The media types that the route can answer with, if there are several; the event says which, unless it is the first. */
    formats?: readonly [string, ...string[]]
    /** The service writes the event, in the transaction of the change: then nothing is written before it. */
    recordedByService?: true
  }
}

/**
 * Every call of a route for admins is an event; one that does not say what it is called stops the boot. It stands above
 * whatever has such routes.
 */
export const adminTrail = fp(
  async (app) => {
    const record = createTrail(app)
    app.addHook('onRoute', ({ method, url, config }) => {
      if (config?.access === 'admin' && config.action === undefined) {
        throw new Error(`${method} ${url} is for admins and does not declare config.action`)
      }
    })
    app.addHook('preHandler', async (request) => {
      const { action, formats, recordedByService } = request.routeOptions.config
      if (action === undefined || recordedByService) return
      const { client, identity, params, query, headers } = request
      await record({ action, client, identity, params, query, formats, accept: headers.accept })
    })
  },
  { name: 'admin-trail', dependencies: ['events', 'access'] }
)

interface AdminOptions extends EmailSecrets {
  environment: string
  settings: readonly SettingState[]
}

/** `/admin/api`: outside `/auth`, so that no gateway leads to it. */
export default fp<AdminOptions>(
  async (app, { environment, settings, ...secrets }) => {
    const admin = createAdmin(app)
    const emails = createEmailViews(secrets)
    for (const schema of SCHEMAS) app.addSchema(schema)
    await app.register(routes, { prefix: '/admin/api', admin, emails })
    await app.register(operationRoutes, { prefix: '/admin/api', admin, settings })
    if (environment === 'development') await offerSetup(app)
  },
  { name: 'admin', dependencies: ['admin-trail', 'users', 'sessions', 'accounts', 'events', 'keys'] }
)

/** Nobody could sign in to a fresh service on a developer's machine: whoever reads its log may make the first admin. */
async function offerSetup(app: FastifyInstance): Promise<void> {
  const setup = createSetup(app)
  await app.register(setupRoutes, { prefix: '/admin/api', setup })
  const listening = new Promise<string>((resolve) => {
    app.addHook('onListen', async () => resolve(originOf(app.server.address() as AddressInfo)))
  })
  app.database.onReady(async () => {
    const token = await setup.offer()
    if (token === undefined) return
    void listening.then((origin) => {
      // In the fragment, so that a browser sends it to nobody.
      const link = `${origin}/admin/#setup=${token}`
      app.log.warn(
        { link, minutes: SETUP_MINUTES },
        'there is no admin yet: whoever opens this link may become the first one'
      )
    })
  })
}

function originOf({ address, port }: AddressInfo): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[address] ?? (address.includes(':') ? `[${address}]` : address)
  return `http://${host}:${port}`
}
