import type { FastifyInstance } from 'fastify'
import t from 'tap'
import openapi from '../../src/plugins/openapi/index.js'
import { createShell, ISSUER, listen, raw } from '../fixtures/shell.js'

function create(t: Parameters<typeof createShell>[0], hooked: string[] = []) {
  return createShell(t, (scope: FastifyInstance) => {
    scope.addHook('onRequest', async ({ routeOptions }) => void hooked.push(routeOptions.url ?? 'none'))
    scope.post('/auth/login', { schema: { body: { type: 'object' } } }, async () => ({}))
    scope.get('/auth/me', async () => ({}))
    scope.get('/auth/users/:user_id', async () => ({}))
    scope.delete('/auth/users/:user_id', async () => ({}))
  })
}

const METHODS = 'GET HEAD POST PUT PATCH DELETE OPTIONS TRACE QUERY PROPFIND PURGE M-SEARCH LINK SOURCE'.split(' ')

const PATHS: Record<string, string[]> = {
  '/auth/login': ['POST'],
  '/auth/me': ['GET', 'HEAD'],
  '/auth/users/1': ['GET', 'HEAD', 'DELETE']
}

t.test('a path that exists answers every other method with 405 and Allow', async (t) => {
  const port = await listen(await create(t))
  for (const [path, allowed] of Object.entries(PATHS)) {
    for (const method of METHODS.filter((name) => !allowed.includes(name))) {
      const [answer] = await raw(port, `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      t.match(answer, { status: 405, headers: { allow: allowed.join(', ') } }, `${method} ${path}`)
      if (method !== 'HEAD') t.match(answer?.body, /"code":"method_not_allowed"/)
    }
  }
})

t.test('a path that does not exist is 404 whatever the method', async (t) => {
  const port = await listen(await create(t))
  for (const method of METHODS) {
    const [answer] = await raw(port, `${method} /auth/nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    t.equal(answer?.status, 404, method)
    t.notOk('allow' in (answer?.headers ?? {}))
  }
})

t.test('404 and 405 come before anything about the body', async (t) => {
  const app = await create(t)
  for (const [url, status] of [
    ['/auth/nothing', 404],
    ['/auth/me', 405]
  ] as const) {
    for (const [type, payload] of [
      ['text/plain', 'x'],
      ['application/json', '{'],
      ['application/json', 'x'.repeat(100_000)],
      ['nonsense', '']
    ] as const) {
      const answer = await app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } })
      t.equal(answer.statusCode, status, `${url} ${type}`)
    }
  }
})

t.test('paths are exact', async (t) => {
  const port = await listen(await create(t))
  const rest = 'HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
  for (const url of [
    '/auth/login/',
    '/auth//login',
    '//auth/login',
    '/auth/Login',
    '/AUTH/login',
    '/auth/login;x',
    '/auth/login;x=y',
    '/auth/login%2f',
    '/auth%2flogin',
    '/auth/login%20',
    '/auth/login%00',
    '/auth/login.json',
    '/auth/./login',
    '/auth/x/../login',
    '/auth/%2e/login',
    '/auth/%256cogin',
    '/auth/users/1/',
    '/auth',
    '/auth/',
    '/'
  ]) {
    const [answer] = await raw(port, `POST ${url} ${rest}`)
    t.match(answer, { status: 404, body: /"code":"not_found"/ }, url)
  }
})

t.test('a path in percent-encoding is the same route with the same hooks', async (t) => {
  const hooked: string[] = []
  const port = await listen(await create(t, hooked))
  for (const [line, url, status] of [
    ['GET /auth/%6de', '/auth/me', 200],
    ['GET /%61uth/m%65', '/auth/me', 200],
    ['GET /auth/users/%41', '/auth/users/:user_id', 200],
    ['POST /auth/%6cogin', '/auth/login', 400]
  ] as const) {
    hooked.length = 0
    const [answer] = await raw(port, `${line} HTTP/1.1\r\nHost: a\r\n\r\n`)
    t.equal(answer?.status, status, line)
    t.strictSame(hooked, [url])
  }
  const [answer] = await raw(port, 'GET /auth/%6cogin HTTP/1.1\r\nHost: a\r\n\r\n')
  t.match(answer, { status: 405, headers: { allow: 'POST' } })
})

t.test('a path that cannot be decoded is 400', async (t) => {
  const app = await create(t)
  for (const method of ['GET', 'POST', 'DELETE'] as const) {
    for (const url of ['/auth/%', '/auth/%zz', '/auth/users/%e9', '/auth/users/%c0%af', '/%ed%a0%80']) {
      const answer = await app.inject({ method, url })
      t.strictSame([answer.statusCode, answer.json().code], [400, 'invalid_request'], `${method} ${url}`)
      t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    }
  }
})

t.test('a route that finds nothing behind its path is 404', async (t) => {
  const app = await createShell(t, (scope) => {
    scope.get('/files/*', async (_request, reply) => reply.callNotFound())
  })
  t.equal((await app.inject('/files/x')).statusCode, 404)
  t.equal((await app.inject({ method: 'HEAD', url: '/files/x' })).statusCode, 404)
  t.equal((await app.inject({ method: 'POST', url: '/files/x' })).statusCode, 405)
})

t.test('a path that the documentation page will not open is 404', async (t) => {
  const app = await createShell(t, async (scope) => {
    await scope.register(openapi, { issuer: ISSUER, version: '0.0.0', docs: true })
  })
  t.equal((await app.inject('/docs/static/swagger-ui.css')).statusCode, 200)
  for (const path of ['a%00b', '%5c..%5cx', '..%2f..%2fpackage.json', 'nothing.js', '%252e%252e/x']) {
    t.equal((await app.inject(`/docs/static/${path}`)).statusCode, 404, path)
  }
})
