import { Type } from '@sinclair/typebox'
import { namesEntityTag } from '../../lib/entity-tag.js'
import type { Routes } from '../../lib/typebox.js'
import { errorResponses } from '../../schemas.js'
import type { PageFile } from './files.js'

/**
 * Scripts and styles from here alone, and none within the markup; nothing is sent elsewhere, nothing is embedded, and no text
 * becomes markup.
 */
const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
  ...["require-trusted-types-for 'script'", "trusted-types 'none'"]
].join('; ')

const HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // It is kept, and asked about each time: after an update nobody has half of the old page.
  'cache-control': 'no-cache'
}

const text = { schema: Type.Unsafe<never>({ type: 'string' }) }
const File = {
  description: 'A file of the page',
  content: { 'text/html': text, 'text/javascript': text, 'text/css': text, 'image/svg+xml': text }
}
const responses = { 200: File, 304: Type.Null({ description: 'What you have is current' }), ...errorResponses }

const routes: Routes<{ files: PageFile[] }> = async (app, { files }) => {
  for (const { path, folder, name, type, tag } of files) {
    app.get(
      `/admin/${path}`,
      { config: { access: 'public' }, schema: { hide: true, response: responses } },
      async (request, reply) => {
        reply.headers({ ...HEADERS, etag: tag })
        const isCurrent = namesEntityTag(request.headers['if-none-match'], tag)
        return isCurrent ? reply.code(304).send(null) : reply.type(type).sendFile(name, folder)
      }
    )
  }

  app.get(
    '/admin',
    {
      config: { access: 'public' },
      schema: { hide: true, response: { 308: Type.Null({ description: 'It is at /admin/' }), ...errorResponses } }
    },
    async (_request, reply) => reply.code(308).header('location', '/admin/').send(null)
  )
}

export default routes
