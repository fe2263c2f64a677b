import { Type } from '@sinclair/typebox'
import type { Routes } from '../../lib/typebox.js'
import { version } from '../../lib/version.js'
import { errorResponses, optionalBody } from '../../schemas.js'
import {
  AdminKey,
  AdminKeyList,
  AdminKeyRotate,
  AdminKeyRotation,
  AdminSettings,
  KeyParams,
  presentKey,
  presentKeys,
  presentRotation,
  presentSettings,
  type SettingState
} from './schemas.js'
import type { Admin } from './service.js'

interface OperationOptions {
  admin: Admin
  settings: readonly SettingState[]
}

/** What is about the service itself: its keys, and how it is set. */
const routes: Routes<OperationOptions> = async (app, { admin, settings }) => {
  app.get(
    '/keys',
    {
      config: { access: 'admin', action: 'keys.list' },
      schema: {
        operationId: 'adminListKeys',
        summary: 'Every signing key there ever was, with its state',
        tags: ['admin'],
        response: { 200: Type.Ref(AdminKeyList), ...errorResponses }
      }
    },
    async () => presentKeys(await admin.listKeys())
  )

  app.post(
    '/keys/rotate',
    {
      config: { access: 'admin', action: 'keys.rotate', recordedByService: true },
      schema: {
        operationId: 'adminRotateKey',
        summary: 'Let the next key sign from now on',
        description: 'Before its `ready_at`: 409 `key_not_ready`, or `{"force": true}`.',
        tags: ['admin'],
        body: optionalBody(Type.Ref(AdminKeyRotate)),
        response: { 200: Type.Ref(AdminKeyRotation), ...errorResponses }
      }
    },
    async ({ client, identity, body }) =>
      presentRotation(await admin.rotateKey({ client, identity }, body?.force ?? false))
  )

  app.post(
    '/keys/:kid/revoke',
    {
      config: { access: 'admin', action: 'keys.revoke', recordedByService: true },
      schema: {
        operationId: 'adminRevokeKey',
        summary: 'Withdraw a key, and with it every token that it signed',
        description: 'Its tokens are refused by every instance within a second.',
        tags: ['admin'],
        params: KeyParams,
        response: { 200: Type.Ref(AdminKey), ...errorResponses }
      }
    },
    async ({ client, identity, params }) => presentKey(await admin.revokeKey({ client, identity }, params.kid))
  )

  app.get(
    '/settings',
    {
      config: { access: 'admin', action: 'settings.get' },
      schema: {
        operationId: 'adminGetSettings',
        summary: 'The settings as they are; of a secret only whether there is one',
        tags: ['admin'],
        response: { 200: Type.Ref(AdminSettings), ...errorResponses }
      }
    },
    async () => presentSettings(settings, version, process.version)
  )
}

export default routes
