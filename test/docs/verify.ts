import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Jwks } from 'aws-jwt-verify/jwk'
import t, { type Test } from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'
import { beside } from '../fixtures/keys.js'
import { listen } from '../fixtures/shell.js'
import { createApp, forge, genuine, type Json, unlimited } from '../fixtures/tokens.js'
import { readDocument } from '../fixtures/transcript.js'

const PAGES = 'docs/verify'

interface JosePage {
  userOf(token: string): Promise<string>
}

interface AwsPage {
  verifier: { cacheJwks(jwks: Jwks): void; verify(token: string): Promise<{ user_id?: unknown }> }
}

/** The page's blocks of code, as modules that fetch the keys at `url`. */
async function modulesOf(t: Test, url: string): Promise<[JosePage, AwsPage]> {
  const blocks = [...readDocument(`${PAGES}/node.md`).matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code)
  t.equal(blocks.length, 2)
  const elsewhere = blocks.map((code) =>
    code.replace('http://localhost:3000/auth/.well-known', `${url}/auth/.well-known`)
  )
  const files = Object.fromEntries(elsewhere.map((code, index) => [`block-${index}.mjs`, code]))
  const folder = t.testdir(files)
  const [jose, aws] = Object.keys(files).map((name) => import(pathToFileURL(join(folder, name)).href))
  return [await jose, await aws]
}

/** Good tokens, and what every page has to refuse. */
async function checkPage(
  t: Test,
  app: Awaited<ReturnType<typeof createApp>>,
  userOf: (token: string) => Promise<unknown>
) {
  const { token, user, header, payload, key, signed } = await genuine(app)
  const isRefused = async (one: string, what: string) => t.rejects(userOf(one), what)
  const signedWith = (change: Json, headerChange: Json = {}) =>
    forge({ ...header, ...headerChange }, { ...payload, ...change }, key)
  t.equal(await userOf(token), user.user_id)
  await isRefused(`${signed}.${Buffer.alloc(64, 1).toString('base64url')}`, 'forged')
  await isRefused(
    `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${token.split('.')[1]}.`,
    'alg none'
  )
  const hmac = { algorithm: 'HS256', signWith: Buffer.from(String(key.verifyWith)) }
  await isRefused(forge({ ...header, alg: 'HS256' }, payload, hmac), 'HS256 with the public key')
  await isRefused(forge(header, payload, hmac), 'an HMAC in the place of a signature')
  const now = Math.floor(app.clock.now() / 1000)
  await isRefused(signedWith({ iat: now - 100, exp: now - 60 }), 'expired')
  await isRefused(signedWith({ exp: undefined }), 'without an end')
  await isRefused(signedWith({ iss: 'http://localhost:3001/auth' }), 'another issuer')
  await isRefused(signedWith({}, { typ: 'JWT' }), 'another type')
  await isRefused(signedWith({}, { crit: ['exp'] }), 'crit')
  const elsewhere = await beside(t, app, { config: { audience: 'another' } })
  await isRefused((await genuine(elsewhere)).token, 'another audience')
  await app.app.keys.rotate({ force: true })
  const after = await genuine(app)
  t.equal(await userOf(after.token), after.user.user_id, 'under the key after a rotation')
  t.equal(await userOf(token), user.user_id, 'under the key before it')
}

t.test("the Node page's code takes good tokens, also across a rotation, and no others", async (t) => {
  const app = await createApp(t, { config: unlimited })
  const [jose, aws] = await modulesOf(t, `http://127.0.0.1:${await listen(app.app)}`)
  await checkPage(t, app, jose.userOf)
  // It fetches by https alone, so that it is given the keys.
  aws.verifier.cacheJwks(app.app.keys.jwks() as unknown as Jwks)
  await checkPage(t, app, async (token) => (await aws.verifier.verify(token)).user_id)
})

t.test('the README leads to every page of docs/verify', async (t) => {
  const pages = readdirSync(join(packageRoot(), PAGES))
  t.ok(pages.length >= 6)
  const readme = readDocument('README.md')
  for (const page of pages) t.ok(readme.includes(`(${PAGES}/${page})`), page)
})
