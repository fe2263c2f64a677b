import { Type } from '@sinclair/typebox'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses, UserParams } from '../../schemas.js'
import { AuthEventList, EventsQuery, limit, presentEvents } from './schemas.js'
import type { Events } from './service.js'

const routes: Routes<{ events: Events }> = async (app, { events }) => {
  app.get(
    '/users/:user_id/events',
    {
      config: { access: 'owner' },
      schema: {
        operationId: 'listEvents',
        summary: "The user's own security history, newest first",
        tags: ['events'],
        params: UserParams,
        querystring: EventsQuery,
        response: { 200: Type.Ref(AuthEventList), ...errorResponses }
      }
    },
    async ({ identity, query }) => {
      const page = await events.list(identity.userId, { cursor: query.cursor, limit: limit.parse(query.limit) })
      return presentEvents(page)
    }
  )
}

export default routes
