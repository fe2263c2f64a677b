import fp from 'fastify-plugin'
import routes from './routes.js'
import { compileSettings } from './rules.js'
import { createGateway } from './service.js'

interface GatewayOptions {
  /** Rules that the settings have checked; one that does not compile stops the boot. */
  ownerPaths: readonly string[]
}

export default fp<GatewayOptions>(
  async (app, { ownerPaths }) => {
    const gateway = createGateway({ rules: compileSettings(ownerPaths) })
    await app.register(routes, { prefix: '/auth', gateway })
  },
  { name: 'gateway', dependencies: ['access', 'sessions'] }
)
