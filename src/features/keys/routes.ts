import { type Static, Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { entityTag, namesEntityTag } from '../../lib/entity-tag.js'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses } from '../../schemas.js'
import { KeySet, Metadata } from './schemas.js'
import type { Keys } from './service.js'

interface DiscoveryOptions {
  keys: Keys
  metadata: Static<typeof Metadata>
  /** Never longer than a new key is published before it signs. */
  maxAgeSeconds: number
}

const NotModified = Type.Null({ description: 'What you have is current' })

/** A cacheable document: 304 when the client has it. */
function cached(request: FastifyRequest, reply: FastifyReply, document: object, maxAgeSeconds: number): FastifyReply {
  const tag = entityTag(JSON.stringify(document))
  reply.headers({ 'cache-control': `public, max-age=${maxAgeSeconds}`, etag: tag })
  return namesEntityTag(request.headers['if-none-match'], tag) ? reply.code(304).send() : reply.send(document)
}

const routes: Routes<DiscoveryOptions> = async (app, { keys, metadata, maxAgeSeconds }) => {
  // At the root too, for verifiers that look there.
  for (const path of ['/auth/.well-known/jwks.json', '/.well-known/jwks.json']) {
    app.get(
      path,
      {
        config: { access: 'public' },
        schema: {
          ...(path.startsWith('/auth') ? { operationId: 'getKeySet' } : { operationId: 'getKeySetAtRoot' }),
          summary: 'The public keys',
          tags: ['discovery'],
          response: { 200: Type.Ref(KeySet), 304: NotModified, ...errorResponses }
        }
      },
      async (request, reply) => cached(request, reply, keys.jwks(), maxAgeSeconds)
    )
  }

  // RFC 8414, 3.1: the well-known part goes before the issuer's path; many clients append it instead.
  for (const path of ['/auth/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server/auth']) {
    app.get(
      path,
      {
        config: { access: 'public' },
        schema: {
          ...(path.startsWith('/auth') ? { operationId: 'getMetadata' } : { operationId: 'getMetadataAtRoot' }),
          summary: 'The metadata of the issuer',
          tags: ['discovery'],
          response: { 200: Type.Ref(Metadata), 304: NotModified, ...errorResponses }
        }
      },
      async (request, reply) => cached(request, reply, metadata, maxAgeSeconds)
    )
  }
}

export default routes
