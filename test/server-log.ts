import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { newSecret } from '../src/lib/kept-secret.js'
import { createDatabase } from './fixtures/postgres.js'
import { serving, settingsFor } from './fixtures/process.js'

/** In every place where a client, or the operator, can put a secret. Upper, lower, digit: a good password. */
const canary = 'Canary0f00d'

async function send(url: string, path: string, init: RequestInit & { json?: unknown } = {}): Promise<string> {
  const { json, ...rest } = init
  const body = json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) }
  const headers = { ...(json !== undefined && { 'content-type': 'application/json' }), ...init.headers }
  return (await fetch(url + path, { ...rest, ...body, headers })).text()
}

async function sendRaw(url: string, text: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.resume().end(text)
  await once(socket, 'close')
}

t.test('a whole session at trace level logs no password, token, secret, hash, header, query or body', async (t) => {
  const clientSecret = `${canary}-client-${newSecret()}`
  const databaseUrl = await createDatabase(t, { empty: true })
  const settings = settingsFor(databaseUrl)
  const { url, child, ended, output, log } = await serving(t, {
    ...settings,
    LOG_LEVEL: 'trace',
    CLIENTS: `reports:${clientSecret}`,
    AUTH_SECRET: `${canary}-${newSecret()}`,
    AUTH_SECRET_PREVIOUS: `${canary}-${newSecret()}`
  })
  const email = 'ada@example.com'
  const password = `${canary}-password`
  const user = JSON.parse(await send(url, '/auth/signup', { json: { email, password } }))
  const bearer = { authorization: `Bearer ${user.token}` }
  await send(url, '/auth/signup', { json: { email, password } })
  await send(url, '/auth/signup', { json: { email: `${canary}@@example.com`, password: canary, [canary]: canary } })
  await send(url, '/auth/login', { json: { email, password } })
  await send(url, '/auth/login', { json: { email, password: `${password}-wrong` } })
  await send(url, '/auth/me', {
    headers: { ...bearer, cookie: canary, 'x-forwarded-for': canary, 'user-agent': canary }
  })
  await send(url, '/auth/me', { headers: { authorization: `Bearer ${canary}` } })
  await send(url, `/auth/me?access_token=${canary}`, { headers: bearer })
  await send(url, `/nowhere?token=${canary}`)
  await send(url, '/auth/login', {
    method: 'POST',
    body: `{"password":"${canary}`,
    headers: { 'content-type': 'application/json' }
  })
  await send(url, '/auth/login', {
    method: 'POST',
    body: canary.repeat(5000),
    headers: { 'content-type': 'application/json' }
  })
  await sendRaw(url, `GET / HTTP/1.1\r\nHost: x\r\nBad Header ${canary}: ${canary}\r\n\r\n`)
  await sendRaw(url, `${canary} ${canary}\r\n\r\n`)
  await sendRaw(url, `GET /%zz?${canary} HTTP/1.1\r\nHost: x\r\nX-A: ${canary}\r\nConnection: close\r\n\r\n`)
  const fresh = JSON.parse(await send(url, '/auth/refresh', { json: { refresh_token: user.refresh_token } }))
  await send(url, '/auth/refresh', { json: { refresh_token: `prt_${canary}` } })
  const basic = Buffer.from(`reports:${clientSecret}`).toString('base64')
  await send(url, '/auth/introspect', {
    method: 'POST',
    body: new URLSearchParams({ token: fresh.token }),
    headers: { authorization: `Basic ${basic}` }
  })
  await send(url, '/auth/logout', { json: {}, headers: bearer })
  child.kill('SIGTERM')
  t.equal(await ended, 0)

  const { stdout, stderr } = output()
  const secrets = [canary, user.token, user.refresh_token, fresh.token, fresh.refresh_token, basic, '$2b$', databaseUrl]
  for (const secret of secrets) t.notOk((stdout + stderr).includes(secret), secret)
  t.notMatch(stdout, /eyJ[A-Za-z0-9_-]{10}|prt_/)
  t.notMatch(stdout, Buffer.from(canary).toString('base64').slice(0, 12))
  t.notMatch(stdout, [...Buffer.from(canary)].join(','), 'nor as the bytes of a Buffer')
  t.equal(stderr, '')
  t.ok(log().filter(({ msg }) => msg === 'request').length > 12, 'there is one line for each request')
})
