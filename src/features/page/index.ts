import fastifyStatic from '@fastify/static'
import fp from 'fastify-plugin'
import { pageFiles } from './files.js'
import routes from './routes.js'

/** `/admin/`: a page without any data, which signs in as everybody does and then asks the admin interface. */
export default fp(
  async (app) => {
    await app.register(async (scope) => {
      // Only its `sendFile`: a route that serves whatever a path leads to would have to be defended.
      await scope.register(fastifyStatic, {
        serve: false,
        acceptRanges: false,
        contentType: false,
        cacheControl: false,
        etag: false,
        lastModified: false
      })
      await scope.register(routes, { files: pageFiles() })
    })
  },
  { name: 'page', dependencies: ['access', 'errors'] }
)
