import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { buildApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { ERRORS } from '../../src/errors.js'
import { packageRoot } from '../../src/lib/package-root.js'
import { createApp } from '../fixtures/app.js'

interface Operation {
  operationId?: string
  security?: Record<string, string[]>[]
  responses: Record<string, unknown>
}

interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { properties: { code: { enum: string[] } } }> }
}

t.test('openapi.json in the repository is the document of the routes; `npm run openapi` makes it anew', async (t) => {
  const config = loadConfig({
    LOG_LEVEL: 'silent',
    AUTH_SECRET: 'only-to-print-the-document-0123456789',
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    CLIENTS: 'only-to-print:the-document-0123456789'
  })
  const app = await buildApp({ config })
  t.teardown(() => app.close())
  await app.ready()
  const kept = JSON.parse(readFileSync(join(packageRoot(), 'openapi.json'), 'utf8'))
  t.strictSame(JSON.parse(JSON.stringify(app.swagger())), kept)
})

t.test('the document says what each route requires, what it answers, and every error code', async (t) => {
  const { http } = await createApp(t)
  const { status, body } = await http('GET', '/auth/openapi.json')
  t.equal(status, 200)
  const { openapi, paths, components } = body as Document
  t.match(openapi, /^3\.1/)
  t.strictSame(paths['/auth/me']?.get?.security, [{ bearer: [] }])
  t.strictSame(paths['/auth/users/{user_id}']?.get?.security, [{ bearer: [] }])
  t.strictSame(paths['/auth/login']?.post?.security, [])
  t.ok(paths['/auth/signup']?.post?.responses['201'])
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { operationId, responses }] of Object.entries(methods)) {
      t.ok(operationId, `${method} ${path} has an operationId`)
      t.ok(responses['4XX'] && responses['5XX'], `${method} ${path} has its errors`)
    }
  }
  t.strictSame(components.schemas.Problem?.properties.code.enum, Object.keys(ERRORS))
})

t.test('/docs is served where it is switched on, and is not there where it is off', async (t) => {
  const on = await createApp(t)
  t.equal((await on.http('GET', '/docs/')).status, 200)
  const off = await createApp(t, { config: { docs: false } })
  t.equal((await off.http('GET', '/docs/')).status, 404)
})
