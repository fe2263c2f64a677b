import * as oauth from 'oauth4webapi'
import t from 'tap'
import { newUser } from '../fixtures/app.js'
import { createIssuer, type Issuer, tokenFrom } from '../fixtures/issuer.js'
import { decode, forge, genuine } from '../fixtures/tokens.js'

const secret = 'a secret+of%20the reports:1'
const client: oauth.Client = { client_id: 'reports' }
const clients = [{ id: 'reports', secret }]
const insecure = { [oauth.allowInsecureRequests]: true }

async function discover({ issuer }: Issuer): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer)
  const answer = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure })
  return await oauth.processDiscoveryResponse(url, answer)
}

async function introspect(server: oauth.AuthorizationServer, token: string, password = secret) {
  const answer = await oauth.introspectionRequest(server, client, oauth.ClientSecretBasic(password), token, insecure)
  return await oauth.processIntrospectionResponse(server, client, answer)
}

async function revoke(server: oauth.AuthorizationServer, token: string, password = secret) {
  const answer = await oauth.revocationRequest(server, client, oauth.ClientSecretBasic(password), token, insecure)
  return await oauth.processRevocationResponse(answer)
}

function requestWith(token: string): Request {
  return new Request('http://api.example/', { headers: { authorization: `Bearer ${token}` } })
}

t.test('oauth4webapi finds the metadata where RFC 8414 puts it, and the keys and endpoints by it', async (t) => {
  const issuer = await createIssuer(t, { clients })
  const server = await discover(issuer)
  t.equal(server.issuer, issuer.issuer)
  t.equal(server.jwks_uri, issuer.jwksUrl.href)
  t.equal(server.introspection_endpoint, `${issuer.issuer}/introspect`)
  t.equal(server.revocation_endpoint, `${issuer.issuer}/revoke`)
})

t.test('oauth4webapi refuses the metadata of a service that calls itself by another name', async (t) => {
  const issuer = await createIssuer(t)
  const elsewhere = issuer.issuer.replace('127.0.0.1', 'localhost')
  const answer = await fetch(`${issuer.issuer}/.well-known/oauth-authorization-server`)
  await t.rejects(oauth.processDiscoveryResponse(new URL(elsewhere), answer), { code: oauth.JSON_ATTRIBUTE_COMPARISON })
})

t.test('oauth4webapi understands what introspection says, of either kind of token', async (t) => {
  const issuer = await createIssuer(t, { clients })
  const server = await discover(issuer)
  const user = await newUser(issuer.http)
  const { payload } = decode(user.token)
  const { iss, sub, aud, jti, iat, exp } = payload
  t.match(await introspect(server, user.token), { active: true, token_type: 'Bearer', iss, sub, aud, jti, iat, exp })
  t.match(await introspect(server, user.refresh_token), { active: true, sub })
  t.strictSame(await introspect(server, 'nonsense'), { active: false })
})

t.test('oauth4webapi revokes a session, and what is unknown is no error', async (t) => {
  const issuer = await createIssuer(t, { clients })
  const server = await discover(issuer)
  const [byAccess, byRefresh] = [await newUser(issuer.http), await newUser(issuer.http)]
  for (const token of [byAccess.token, byRefresh.refresh_token, 'nonsense'])
    t.equal(await revoke(server, token), undefined)
  for (const { token, refresh_token } of [byAccess, byRefresh]) {
    t.strictSame(await introspect(server, token), { active: false })
    t.strictSame(await introspect(server, refresh_token), { active: false })
    t.equal((await issuer.http('GET', '/auth/me', { token })).body.code, 'session_ended')
  }
})

t.test('oauth4webapi understands that a client was refused', async (t) => {
  const issuer = await createIssuer(t, { clients })
  const server = await discover(issuer)
  const token = await tokenFrom(issuer)
  const challenge = { code: oauth.WWW_AUTHENTICATE_CHALLENGE, status: 401, cause: [{ scheme: 'basic' }] }
  await t.rejects(introspect(server, token, 'wrong'), challenge)
  await t.rejects(revoke(server, token, 'wrong'), challenge)
  t.match(await introspect(server, token), { active: true })
})

t.test(
  'to oauth4webapi our token is an RFC 9068 access token but for client_id, which no client here has',
  async (t) => {
    const issuer = await createIssuer(t)
    const server = await discover(issuer)
    const { token, header, payload, key } = await genuine(issuer)
    const check = (one: string, audience = issuer.config.audience) =>
      oauth.validateJwtAccessToken(server, requestWith(one), audience, { ...insecure, signingAlgorithms: ['ES256'] })
    await t.rejects(check(token), { message: /"client_id"/ })
    const complete = forge(header, { ...payload, client_id: 'reports' }, key)
    t.match(await check(complete), payload)
    t.equal((await issuer.http('GET', '/auth/me', { token: complete })).status, 200, 'we do not mind')
    await t.rejects(check(complete, 'another'))
    await t.rejects(check(`${complete.slice(0, -3)}AAA`))
    await t.rejects(check(forge({ ...header, typ: 'JWT' }, { ...payload, client_id: 'reports' }, key)))
  }
)
