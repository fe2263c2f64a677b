import { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { ApiError } from '../../src/errors.js'
import { errorResponses } from '../../src/schemas.js'
import { createGuarded } from '../fixtures/guarded.js'

const User = Type.Object({ id: Type.String() }, { additionalProperties: false })
const SECRET = '$2b$12$secret'
const row = { id: '1', passwordHash: SECRET }

async function answerOf(
  t: Test,
  response: Record<string, unknown>,
  handler: (request: FastifyRequest, reply: FastifyReply) => unknown
) {
  const { request } = await createGuarded(t, (app) => {
    app.get('/x', { config: { access: 'public' }, schema: { response } }, async (...args) => handler(...args))
  })
  const [answer, head] = [await request('GET', '/x'), await request('HEAD', '/x')]
  t.equal(head.status, answer.status, 'HEAD agrees')
  return answer
}

async function refused(t: Test, ...args: [Parameters<typeof answerOf>[1], Parameters<typeof answerOf>[2]]) {
  const { status, code, body } = await answerOf(t, ...args)
  t.equal(status, 500)
  t.equal(code, 'internal_error')
  t.notMatch(body, SECRET)
}

t.test('a declared answer leaves with its declared fields only', async (t) => {
  const { status, body } = await answerOf(t, { 200: User, ...errorResponses }, () => row)
  t.equal(status, 200)
  t.equal(body, '{"id":"1"}')
})

t.test('a range declares each of its statuses', async (t) => {
  const { status, body } = await answerOf(t, { '2xx': User }, (_request, reply) => reply.code(201).send(row))
  t.equal(status, 201)
  t.equal(body, '{"id":"1"}')
})

t.test('an object with an undeclared status is a 500, and nothing of it leaves', async (t) => {
  await refused(t, { 200: User, ...errorResponses }, (_request, reply) => reply.code(201).send(row))
  await refused(t, { 201: User }, () => row)
  await refused(t, { 200: User }, (_request, reply) => reply.code(404).send(row))
  await refused(t, { 200: User }, () => [row])
})

t.test('an object of an undeclared media type is a 500', async (t) => {
  const response = { 200: { content: { 'text/html': { schema: Type.String() } } } }
  await refused(t, response, () => row)
  await refused(t, { 200: User, ...errorResponses }, (_request, reply) => reply.code(400).send(row))
})

t.test('text, bytes and streams need a declaration of their media type', async (t) => {
  const text = JSON.stringify(row)
  const bodies = [() => text, () => Buffer.from(text), () => Readable.from([text])]
  for (const body of bodies) {
    for (const type of ['application/json', 'text/plain', 'text/html']) {
      await refused(t, { 200: User, ...errorResponses }, (_request, reply) => reply.type(type).send(body()))
    }
    await refused(t, { 200: User }, (_request, reply) => reply.send(body()))
    const response = { 200: { content: { 'text/csv': { schema: Type.String() } } } }
    await refused(t, response, (_request, reply) => reply.type('text/html').send(body()))
    const { status } = await answerOf(t, response, (_request, reply) =>
      reply.type('text/csv; charset=utf-8').send(body())
    )
    t.equal(status, 200)
  }
})

t.test('a stream that is refused is closed', async (t) => {
  const stream = Readable.from(['a'])
  await refused(t, { 200: User }, (request, reply) => reply.send(request.method === 'GET' ? stream : 'a'))
  t.ok(stream.destroyed)
})

t.test('an empty answer needs no declaration', async (t) => {
  for (const status of [200, 204, 304]) {
    for (const empty of [undefined, '', Buffer.alloc(0)]) {
      const answer = await answerOf(t, { 202: User }, (_request, reply) => reply.code(status).send(empty))
      t.equal(answer.status, status)
      t.equal(answer.body, '')
    }
  }
  const { status } = await answerOf(t, { 202: User }, (_request, reply) => reply.code(204).send(null))
  t.equal(status, 204)
})

t.test('errors need no declaration', async (t) => {
  const answer = await answerOf(t, { 200: User }, () => {
    throw new ApiError('email_taken')
  })
  t.equal(answer.status, 409)
  t.equal(answer.code, 'email_taken')
})

t.test('an error after the answer was serialized is an error all the same', async (t) => {
  const { request } = await createGuarded(t, (app) => {
    app.addHook('onSend', async (_request, reply) => {
      if (reply.statusCode === 200) throw new Error('too late')
    })
    app.get('/x', { config: { access: 'public' }, schema: { response: { 200: User } } }, async () => row)
  })
  const { status, code } = await request('GET', '/x')
  t.equal(status, 500)
  t.equal(code, 'internal_error')
})

t.test('a status that is changed after serializing is undeclared', async (t) => {
  const { request } = await createGuarded(t, (app) => {
    app.addHook('preSerialization', async (_request, reply, payload) => {
      reply.code(201)
      return payload
    })
    app.get('/x', { config: { access: 'public' }, schema: { response: { 200: User } } }, async () => row)
  })
  const { status, body } = await request('GET', '/x')
  t.equal(status, 500)
  t.notMatch(body, SECRET)
})
