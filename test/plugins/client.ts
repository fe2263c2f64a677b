import { connect } from 'node:net'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createGuarded } from '../fixtures/guarded.js'
import { listen } from '../fixtures/shell.js'

const Answer = Type.Object({
  address: Type.String(),
  addressKey: Type.String(),
  userAgent: Type.Optional(Type.String()),
  requestId: Type.String()
})

function routes(app: FastifyInstance) {
  const options = { config: { access: 'public' as const }, schema: { response: { 200: Answer } } }
  app.get('/client', options, async (request) => request.client)
}

t.test('by default forwarded headers are not read', async (t) => {
  const { request } = await createGuarded(t, routes)
  const headers = { 'x-forwarded-for': '1.1.1.1', 'x-real-ip': '1.1.1.1', forwarded: 'for=1.1.1.1' }
  const { body } = await request('GET', '/client', { headers, from: '127.0.0.1' })
  t.equal(JSON.parse(body).address, '127.0.0.1')
})

t.test('a trusted proxy names the client, and only by X-Forwarded-For', async (t) => {
  const { request } = await createGuarded(t, routes, { trustProxy: ['private'] })
  const named = await request('GET', '/client', { from: '10.0.0.1', headers: { 'x-forwarded-for': '2001:DB8::5' } })
  t.match(JSON.parse(named.body), { address: '2001:db8::5', addressKey: '2001:db8::/64' })
  const headers = { 'x-real-ip': '1.1.1.1', forwarded: 'for=1.1.1.1', 'true-client-ip': '1.1.1.1' }
  const others = await request('GET', '/client', { from: '10.0.0.1', headers })
  t.equal(JSON.parse(others.body).address, '10.0.0.1')
})

t.test('a client says its user agent and gets its request id', async (t) => {
  const { request } = await createGuarded(t, routes)
  const headers = { 'user-agent': 'curl/8', 'x-request-id': 'request-0001' }
  const { body } = await request('GET', '/client', { headers })
  t.match(JSON.parse(body), { userAgent: 'curl/8', requestId: 'request-0001' })
})

t.test('of X-Forwarded-For in several lines the last is the nearest', async (t) => {
  const { app } = await createGuarded(t, routes, { trustProxy: ['loopback'] })
  const socket = connect(await listen(app), '127.0.0.1')
  socket.write('GET /client HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: 203.0.113.9\r\n\r\n')
  const [chunk] = await new Promise<Buffer[]>((resolve) => socket.once('data', (data) => resolve([data])))
  socket.destroy()
  t.match(String(chunk), '"address":"203.0.113.9"')
})

t.test('a client that resets its connection leaves its address all the same', async (t) => {
  let seen: (address: string) => void
  const address = new Promise<string>((resolve) => {
    seen = resolve
  })
  const { app } = await createGuarded(t, (scope) => {
    const options = { config: { access: 'public' as const }, schema: { response: { 204: Type.Null() } } }
    scope.get('/slow', options, async (request, reply) => {
      await new Promise((resolve) => request.raw.socket.once('close', resolve))
      seen(request.client.address)
      return reply.code(204).send(null)
    })
    scope.addHook('onRequest', async () => socket.resetAndDestroy())
  })
  const socket = connect(await listen(app), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
  t.equal(await address, '127.0.0.1')
})

t.test('forwarded headers from an untrusted peer are told once, with the setting that mends it', async (t) => {
  for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'x-real-ip']) {
    const log: string[] = []
    const { app, request } = await createGuarded(t, routes, { trustProxy: ['10.0.0.0/8'], log })
    const warnings = () => log.map((line) => JSON.parse(line)).filter(({ level }) => level === 40)
    await request('GET', '/client')
    t.notOk(app.clientTrust.mistrusted(), name)
    t.equal(warnings().length, 0)

    for (let time = 0; time < 3; time += 1) await request('GET', '/client', { headers: { [name]: '1.1.1.1' } })
    t.ok(app.clientTrust.mistrusted(), name)
    t.equal(app.clientTrust.count(), 3)
    t.equal(warnings().length, 1)
    t.match(warnings()[0].msg, 'TRUST_PROXY=203.0.113.9')
    t.equal(warnings()[0].msg, app.clientTrust.describe())
  }
})

t.test('forwarded headers from a trusted peer are nothing to tell', async (t) => {
  const { app, request } = await createGuarded(t, routes, { trustProxy: ['10.0.0.0/8'] })
  const headers = { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'https' }
  await request('GET', '/client', { headers, from: '10.1.2.3' })
  t.notOk(app.clientTrust.mistrusted())
})
