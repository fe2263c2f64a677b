import { Type } from '@sinclair/typebox'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses, Message, optionalBody, presentTokens, TokenAnswer, UserParams } from '../../schemas.js'
import { LogoutRequest, presentSession, RefreshRequest, SessionList, SessionParams } from './schemas.js'
import type { Sessions } from './service.js'

const routes: Routes<{ sessions: Sessions }> = async (app, { sessions }) => {
  app.post(
    '/refresh',
    {
      config: { access: 'public', limit: 'refresh', event: 'refresh' },
      schema: {
        operationId: 'refresh',
        summary: 'Exchange a refresh token for its successor',
        description: 'Safe to repeat for a few seconds: a lost answer comes again, with the same refresh token.',
        tags: ['sessions'],
        body: Type.Ref(RefreshRequest),
        response: { 200: Type.Ref(TokenAnswer), ...errorResponses }
      }
    },
    async (request) => presentTokens(await sessions.refresh(request.client, request.body.refresh_token))
  )

  app.post(
    '/logout',
    {
      config: { access: 'optional-bearer' },
      schema: {
        operationId: 'logout',
        summary: 'End this session, or several',
        description: 'By the bearer, or without one by the refresh token. Needs no body.',
        tags: ['sessions'],
        body: optionalBody(Type.Ref(LogoutRequest)),
        response: { 200: Type.Ref(Message), ...errorResponses }
      }
    },
    async (request) => {
      const { scope, refresh_token: refreshToken } = request.body ?? {}
      await sessions.logout(request.client, { scope, refreshToken, bearer: request.identity })
      return { message: 'Logged out' }
    }
  )

  app.get(
    '/users/:user_id/sessions',
    {
      config: { access: 'owner' },
      schema: {
        operationId: 'listSessions',
        summary: 'The live sessions of a user, newest first',
        tags: ['sessions'],
        params: UserParams,
        response: { 200: Type.Ref(SessionList), ...errorResponses }
      }
    },
    async ({ identity }) => {
      const rows = await sessions.list(identity.userId)
      return { sessions: rows.map((row) => presentSession(row, identity.sessionId)) }
    }
  )

  app.delete(
    '/users/:user_id/sessions/:session_id',
    {
      config: { access: 'owner' },
      schema: {
        operationId: 'revokeSession',
        summary: 'End one session of a user',
        tags: ['sessions'],
        params: SessionParams,
        response: { 204: Type.Null({ description: 'Ended' }), ...errorResponses }
      }
    },
    async ({ client, identity: { userId, email }, params }, reply) => {
      await sessions.revoke(client, { userId, email, sessionId: params.session_id.toLowerCase() })
      return reply.code(204).send(null)
    }
  )
}

export default routes
