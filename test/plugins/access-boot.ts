import { Type } from '@sinclair/typebox'
import type { FastifyInstance, RouteOptions } from 'fastify'
import t, { type Test } from 'tap'
import { createGuarded } from '../fixtures/guarded.js'

const answers = { response: { 204: Type.Null() } }
const handler = async () => undefined

function boot(t: Test, route: Partial<RouteOptions>, options: Parameters<typeof createGuarded>[2] = {}) {
  const whole = { method: 'GET', url: '/x', handler, ...route } as RouteOptions
  return createGuarded(t, (app) => void app.route(whole), options)
}

t.test('a route that does not say who may call it stops the boot', async (t) => {
  await t.rejects(boot(t, { schema: answers }), { message: 'GET /x does not declare config.access' })
  await t.rejects(boot(t, { config: {}, schema: answers }), { message: /does not declare config.access/ })
})

t.test('a route that says it in an unknown word stops the boot', async (t) => {
  for (const access of ['everybody', 'Public', '', null, 'constructor', '__proto__', true]) {
    await t.rejects(boot(t, { config: { access: access as never }, schema: answers }), { message: /unknown access/ })
  }
})

t.test('a route that does not say what it answers stops the boot', async (t) => {
  const config = { access: 'public' as const }
  for (const schema of [undefined, {}, { response: {} }, { response: undefined }]) {
    await t.rejects(boot(t, { config, ...(schema && { schema }) }), {
      message: 'GET /x does not declare schema.response'
    })
  }
  const byDefault = { response: { default: Type.Null() } }
  await t.rejects(boot(t, { config, schema: byDefault }), { message: /has to name its statuses, not `default`/ })
})

t.test('an owner route without :user_id as a segment of its path stops the boot', async (t) => {
  const config = { access: 'owner' as const }
  for (const url of ['/users', '/users/:id', '/users/:user_idx', '/:user_id.json', '/users/:user_id?', '/a:user_id']) {
    await t.rejects(boot(t, { url, config, schema: answers }), { message: /has no :user_id/ }, url)
  }
  await boot(t, { url: '/users/:user_id/things', config, schema: answers })
  await boot(t, { url: '/users/:user_id', config, schema: answers })
})

t.test('a route that needs a check which no plugin gives stops the boot', async (t) => {
  for (const access of ['bearer', 'owner', 'admin'] as const) {
    const route = { url: '/:user_id', config: { access }, schema: answers }
    await t.rejects(boot(t, route, { noSessionCheck: true }), { message: /needs a session check/ })
  }
  await t.rejects(boot(t, { config: { access: 'client' }, schema: answers }), { message: /needs a client check/ })
  await boot(t, { config: { access: 'public' }, schema: answers }, { noSessionCheck: true })
})

t.test('a check is given once', async (t) => {
  const twice = (app: FastifyInstance) => {
    app.access.useClientCheck(() => 'a')
    app.access.useClientCheck(() => 'b')
  }
  await t.rejects(createGuarded(t, twice), { message: /already/ })
})

t.test("a route from before the access plugin fails, unless it is declared to be somebody else's page", async (t) => {
  const before = (app: FastifyInstance) => {
    app.get('/forgotten', async () => ({ secret: 1 }))
    app.get('/no-answers', { config: { access: 'public' } }, async () => ({ secret: 1 }))
    app.get('/page', { config: { access: 'public', foreign: true } }, async () => ({ page: 1 }))
    app.get('/guarded', { config: { access: 'bearer', foreign: true } }, async () => ({ page: 1 }))
  }
  const { request } = await createGuarded(t, () => undefined, { before })
  for (const url of ['/forgotten', '/no-answers']) {
    const { code, body } = await request('GET', url)
    t.equal(code, 'internal_error', url)
    t.notMatch(body, 'secret')
  }
  t.equal((await request('GET', '/page')).body, '{"page":1}')
  t.equal((await request('GET', '/guarded')).code, 'missing_token')
})

t.test("a route of ours cannot pass for somebody else's", async (t) => {
  const config = { access: 'public' as const, foreign: true as const }
  await t.rejects(boot(t, { config, schema: answers }), { message: /is ours/ })
})
