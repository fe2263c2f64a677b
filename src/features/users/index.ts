import fp from 'fastify-plugin'
import routes from './routes.js'
import { User } from './schemas.js'
import { createUsers, type Users } from './service.js'

declare module 'fastify' {
  interface FastifyInstance {
    users: Users
  }
}

export default fp(
  async (app) => {
    const users = createUsers({ db: app.db })
    app.decorate('users', users)
    app.addSchema(User)
    await app.register(routes, { prefix: '/auth', users })
  },
  { name: 'users', dependencies: ['database', 'access'] }
)
