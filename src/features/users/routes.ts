import { Type } from '@sinclair/typebox'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses, UserParams } from '../../schemas.js'
import { presentUser, User } from './schemas.js'
import type { Users } from './service.js'

const routes: Routes<{ users: Users }> = async (app, { users }) => {
  app.get(
    '/me',
    {
      config: { access: 'bearer' },
      schema: {
        operationId: 'getMe',
        summary: 'The user of the token',
        tags: ['users'],
        response: { 200: Type.Ref(User), ...errorResponses }
      }
    },
    async (request) => presentUser(await users.get(request.identity.userId))
  )

  app.get(
    '/users/:user_id',
    {
      config: { access: 'owner' },
      schema: {
        operationId: 'getUser',
        summary: 'A user, for that user',
        tags: ['users'],
        params: UserParams,
        response: { 200: Type.Ref(User), ...errorResponses }
      }
    },
    async (request) => presentUser(await users.get(request.identity.userId))
  )
}

export default routes
