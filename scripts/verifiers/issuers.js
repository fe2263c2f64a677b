import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'

/** What the pages are written for. The services listen elsewhere, and call themselves so. */
export const DOCUMENTED = 'http://localhost:3000/auth'

const encode = (part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString())

async function load(root, path) {
  return await import(pathToFileURL(join(root, 'dist', path)).href)
}

/** Instances on one database: the same keys, whatever else differs. */
export async function startServices(root, dataDir) {
  const { startEmbedded } = await load(root, 'plugins/database/embedded.js')
  const { buildApp } = await load(root, 'app.js')
  const { loadConfig } = await load(root, 'config.js')
  const { newSecret } = await load(root, 'lib/kept-secret.js')
  const server = await startEmbedded({ dataDir, testOnlyNoFsync: true })
  const common = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    BCRYPT_COST: '4',
    RATE_LIMIT_SIGNUP: 'off',
    ISSUER: DOCUMENTED,
    AUTH_SECRET: newSecret(),
    DATABASE_URL: server.url
  }
  const apps = []
  const start = async (env = {}) => {
    const app = await buildApp({ config: loadConfig({ ...common, ...env }) })
    apps.push(app)
    await app.listen({ host: '127.0.0.1', port: 0 })
    while (app.database.state() !== 'ready') await sleep(20)
    return app
  }
  const stop = async () => {
    await Promise.all(apps.map((app) => app.close()))
    await server.stop()
  }
  return { start, stop }
}

export const addressOf = (server) => `http://127.0.0.1:${server.address().port}`

let users = 0

/** The answer to a fresh signup, over HTTP. */
export async function signUp(app) {
  users += 1
  const answer = await fetch(`${addressOf(app.server)}/auth/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `user-${users}@example.com`, password: 'Correct1horse' })
  })
  if (answer.status !== 201) throw new Error(`signup answered ${answer.status}`)
  return await answer.json()
}

/** What a forger makes of a good token, with everything that is public. */
export function forgeriesOf(token, jwks) {
  const [header, claims, signature] = token.split('.')
  const { kid, ...rest } = decode(header)
  const other = encode({ ...decode(claims), user_id: 'x', sub: 'x' })
  const pem = createPublicKey({ key: jwks.keys.find((key) => key.kid === kid), format: 'jwk' }).export({
    type: 'spki',
    format: 'pem'
  })
  const confused = `${encode({ ...rest, kid, alg: 'HS256' })}.${other}`
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signed = `${header}.${other}`
  const stranger = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return {
    'other claims under an old signature': `${header}.${other}.${signature}`,
    'alg none': `${encode({ ...rest, kid, alg: 'none' })}.${other}.`,
    'HS256 with the public key': `${confused}.${createHmac('sha256', pem).update(confused).digest('base64url')}`,
    'signed by a stranger': `${signed}.${stranger.toString('base64url')}`,
    'without a signature': `${header}.${claims}.`
  }
}

/** A key set at an address of its own. */
export async function serveKeys(jwks) {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}
