import { Type } from '@sinclair/typebox'
import { clientGone } from '../../lib/client-gone.js'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses, presentTokens, TokenAnswer } from '../../schemas.js'
import { Credentials, Settings } from './schemas.js'
import type { Accounts } from './service.js'

const routes: Routes<{ accounts: Accounts; settings: Settings }> = async (app, { accounts, settings }) => {
  app.post(
    '/signup',
    {
      config: { access: 'public', limit: 'signup', event: 'signup', faults: (body) => accounts.faults('signup', body) },
      schema: {
        operationId: 'signup',
        summary: 'Make an account and sign in',
        tags: ['accounts'],
        body: Type.Ref(Credentials),
        response: { 201: Type.Ref(TokenAnswer), ...errorResponses }
      }
    },
    async (request, reply) => {
      const signedIn = await accounts.signup(request.client, request.body, clientGone(reply.raw))
      return reply.code(201).send(presentTokens(signedIn))
    }
  )

  app.post(
    '/login',
    {
      config: { access: 'public', limit: 'login', event: 'login', faults: (body) => accounts.faults('login', body) },
      schema: {
        operationId: 'login',
        summary: 'Sign in',
        tags: ['accounts'],
        body: Type.Ref(Credentials),
        response: { 200: Type.Ref(TokenAnswer), ...errorResponses }
      }
    },
    async (request, reply) => presentTokens(await accounts.login(request.client, request.body, clientGone(reply.raw)))
  )

  app.get(
    '/settings',
    {
      config: { access: 'public' },
      schema: {
        operationId: 'getSettings',
        summary: 'What a form needs to know',
        tags: ['accounts'],
        response: { 200: Type.Ref(Settings), ...errorResponses }
      }
    },
    async () => settings
  )
}

export default routes
