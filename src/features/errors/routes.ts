import { Type } from '@sinclair/typebox'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses } from '../../schemas.js'
import { errorPage } from './page.js'

const routes: Routes = async (app) => {
  app.get(
    '/errors/:code',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'getErrorPage',
        summary: 'What an error code means and what to do about it',
        tags: ['discovery'],
        params: Type.Object({ code: Type.String({ examples: ['invalid_request'] }) }, { additionalProperties: false }),
        response: {
          200: { description: 'A short page', content: { 'text/html': { schema: Type.String() } } },
          ...errorResponses
        }
      }
    },
    async (request, reply) => reply.type('text/html; charset=utf-8').send(errorPage(request.params.code))
  )
}

export default routes
