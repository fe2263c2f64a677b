import type { IncomingHttpHeaders } from 'node:http'
import { Type } from '@sinclair/typebox'
import { ApiError } from '../../errors.js'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses } from '../../schemas.js'
import { parseForm } from './form.js'
import { Introspection, TokenForm } from './schemas.js'
import type { OAuth } from './service.js'

const FORM = 'application/x-www-form-urlencoded'
/** As for JSON: another charset or parameter is another media type. */
const FORM_TYPE = /^application\/x-www-form-urlencoded(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?$/i

/** An empty body; `null` would be sent as the text `null`. */
const Nothing = Type.Unsafe<undefined>({ type: 'null', description: 'The token is good for nothing now' })

interface Headed {
  headers: IncomingHttpHeaders
}

function isForm(headers: IncomingHttpHeaders): boolean {
  const coding = headers['content-encoding'] ?? 'identity'
  return FORM_TYPE.test(headers['content-type'] ?? '') && coding.toLowerCase() === 'identity'
}

const routes: Routes<{ oauth: OAuth }> = async (app, { oauth }) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(FORM, { parseAs: 'buffer' }, async ({ headers }: Headed, body: Buffer) => {
    if (!isForm(headers)) throw new ApiError('unsupported_media_type')
    return parseForm(body)
  })

  app.post(
    '/introspect',
    {
      config: { access: 'client' },
      schema: {
        operationId: 'introspect',
        summary: 'Ask whether a token is live (RFC 7662)',
        tags: ['oauth'],
        consumes: [FORM],
        body: Type.Ref(TokenForm),
        response: { 200: Type.Ref(Introspection), ...errorResponses }
      }
    },
    async (request) => oauth.introspect(request.body.token)
  )

  app.post(
    '/revoke',
    {
      config: { access: 'client' },
      schema: {
        operationId: 'revoke',
        summary: 'End the session of a token (RFC 7009)',
        tags: ['oauth'],
        consumes: [FORM],
        body: Type.Ref(TokenForm),
        response: { 200: Nothing, ...errorResponses }
      }
    },
    async (request, reply) => {
      await oauth.revoke(request.client, request.clientId, request.body.token)
      return reply.code(200).send(undefined)
    }
  )
}

export default routes
