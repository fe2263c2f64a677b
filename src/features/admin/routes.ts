import { Type } from '@sinclair/typebox'
import { clientGone } from '../../lib/client-gone.js'
import type { EmailViews } from '../../lib/email-view.js'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses, presentTokens, TokenAnswer, UserParams } from '../../schemas.js'
import {
  AdminUser,
  AdminUserChange,
  AdminUserDossier,
  AdminUserList,
  changeOf,
  EmailsQuery,
  limit,
  presentDossier,
  presentUser,
  presentUsers,
  SessionParams,
  SetupRequest,
  UsersQuery
} from './schemas.js'
import type { Admin, Setup } from './service.js'

const routes: Routes<{ admin: Admin; emails: EmailViews }> = async (app, { admin, emails }) => {
  app.get(
    '/users',
    {
      config: { access: 'admin', action: 'users.list' },
      schema: {
        operationId: 'adminListUsers',
        summary: 'The newest users, or those whose email begins so',
        tags: ['admin'],
        querystring: UsersQuery,
        response: { 200: Type.Ref(AdminUserList), ...errorResponses }
      }
    },
    async ({ query: { query, cursor, ...rest } }) => {
      const page = await admin.searchUsers({ query, cursor, limit: limit.parse(rest.limit) })
      return presentUsers(page, emails[rest.emails ?? 'shown'])
    }
  )

  app.get(
    '/users/:user_id',
    {
      config: { access: 'admin', action: 'users.get' },
      schema: {
        operationId: 'adminGetUser',
        summary: 'One user with live sessions and newest events',
        tags: ['admin'],
        params: UserParams,
        querystring: EmailsQuery,
        response: { 200: Type.Ref(AdminUserDossier), ...errorResponses }
      }
    },
    async ({ params, query }) =>
      presentDossier(await admin.getUser(params.user_id.toLowerCase()), emails[query.emails ?? 'shown'])
  )

  app.patch(
    '/users/:user_id',
    {
      config: { access: 'admin', action: 'users.update', recordedByService: true },
      schema: {
        operationId: 'adminUpdateUser',
        summary: 'Switch a user on or off, or change the role',
        description: 'Switching off ends every session. The last active admin stays one: 409 `last_admin`.',
        tags: ['admin'],
        params: UserParams,
        querystring: EmailsQuery,
        body: Type.Ref(AdminUserChange),
        response: { 200: Type.Ref(AdminUser), ...errorResponses }
      }
    },
    async ({ client, identity, params, query, body }) => {
      const user = await admin.updateUser({ client, identity }, params.user_id.toLowerCase(), changeOf(body))
      return presentUser(user, emails[query.emails ?? 'shown'])
    }
  )

  app.delete(
    '/users/:user_id/sessions',
    {
      config: { access: 'admin', action: 'users.end_sessions', recordedByService: true },
      schema: {
        operationId: 'adminEndSessions',
        summary: 'End every session of a user',
        tags: ['admin'],
        params: UserParams,
        response: { 204: Type.Null({ description: 'Ended' }), ...errorResponses }
      }
    },
    async ({ client, identity, params }, reply) => {
      await admin.endSessions({ client, identity }, params.user_id.toLowerCase())
      return reply.code(204).send(null)
    }
  )

  app.delete(
    '/users/:user_id/sessions/:session_id',
    {
      config: { access: 'admin', action: 'users.end_session', recordedByService: true },
      schema: {
        operationId: 'adminEndSession',
        summary: 'End one session of a user',
        tags: ['admin'],
        params: SessionParams,
        response: { 204: Type.Null({ description: 'Ended' }), ...errorResponses }
      }
    },
    async ({ client, identity, params: { user_id, session_id } }, reply) => {
      await admin.endSession({ client, identity }, user_id.toLowerCase(), session_id.toLowerCase())
      return reply.code(204).send(null)
    }
  )
}

/** Only where there is a link to redeem: on a development start. It is no part of the documented API. */
export const setupRoutes: Routes<{ setup: Setup }> = async (app, { setup }) => {
  app.post(
    '/setup',
    {
      config: { access: 'public', limit: 'signup', event: 'signup' },
      schema: { hide: true, body: SetupRequest, response: { 201: Type.Ref(TokenAnswer), ...errorResponses } }
    },
    async (request, reply) => {
      const signedIn = await setup.redeem(request.client, request.body, clientGone(reply.raw))
      return reply.code(201).send(presentTokens(signedIn))
    }
  )
}

export default routes
