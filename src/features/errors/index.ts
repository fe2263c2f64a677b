import fp from 'fastify-plugin'
import routes from './routes.js'

/** The pages that the `type` of an error opens. */
export default fp(
  async (app) => {
    await app.register(routes, { prefix: '/auth' })
  },
  { name: 'error-pages', dependencies: ['access'] }
)
