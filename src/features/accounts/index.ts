import fp from 'fastify-plugin'
import routes from './routes.js'
import { Credentials, Settings } from './schemas.js'
import { type Accounts, createAccounts } from './service.js'

declare module 'fastify' {
  interface FastifyInstance {
    accounts: Accounts
  }
}

interface AccountsOptions {
  lifetimes: Settings['lifetimes']
  features: Settings['features']
}

export default fp<AccountsOptions>(
  async (app, { lifetimes, features }) => {
    const accounts = createAccounts(app)
    app.decorate('accounts', accounts)
    app.addSchema(Credentials)
    app.addSchema(Settings)
    const settings: Settings = { password: app.passwords.rules(), lifetimes, features }
    await app.register(routes, { prefix: '/auth', accounts, settings })
  },
  {
    name: 'accounts',
    dependencies: ['database', 'passwords', 'events', 'users', 'sessions', 'throttle', 'rate-limit', 'access']
  }
)
