import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { config, createApp, encode, forge, genuine, type Json, present, verdict } from '../fixtures/tokens.js'

t.test('a token that has been seen gets the verdict of one that has not', async (t) => {
  const app = await createApp(t, { config })
  const fresh = await createApp(t, { config: { ...config, databaseUrl: app.config.databaseUrl }, clock: app.clock })
  const { token, header, payload, key } = await genuine(app)
  const now = Math.floor(app.clock.now() / 1000)
  const changes: Json[] = [
    {},
    { exp: now - 10, iat: now - 20 },
    { exp: now + 3 },
    { iat: now + 4 },
    { aud: 'x' },
    { nbf: now + 4 }
  ]
  const tokens = [token, ...changes.map((change) => forge(header, { ...payload, ...change }, key)), `${token}A`, 'x']
  for (const span of ['0s', '9s', '-30s', '24h', '-24h', '-1h', '2h']) {
    app.clock.advance(span)
    for (const one of tokens) {
      const first = await verdict(app, one)
      t.equal(await verdict(app, one), first, 'again')
      // An app of its own for each look would be slow: what this one has not seen before is compared.
      t.equal(await verdict(fresh, one), first, span)
    }
  }
})

t.test('the claims of a token that has been seen are those of the token', async (t) => {
  const app = await createApp(t, { config })
  const [one, other] = [await genuine(app), await genuine(app)]
  for (const { token, user, payload } of [one, other, one, other, one]) {
    t.match(await app.app.accessTokens.check(token), {
      userId: user.user_id,
      email: user.email,
      sessionId: payload.sid,
      tokenId: payload.jti,
      issuedAt: new Date(Number(payload.iat) * 1000),
      expiresAt: new Date(Number(payload.exp) * 1000)
    })
  }
})

t.test('expiry is looked at again at each check', async (t) => {
  const app = await createApp(t, { config: { ...config, accessTokenTtlSeconds: 60 } })
  const { token, user } = await genuine(app)
  t.equal((await present(app, token)).status, 200)
  app.clock.advance('66s')
  const { status, code, rows } = await present(app, token)
  t.equal(status, 401)
  t.equal(code, 'token_expired')
  t.match(rows, [{ reason: 'token_expired', user_id: user.user_id }])
  app.clock.advance('-30s')
  t.equal((await present(app, token)).status, 200, 'when the clock was wrong')
})

t.test('a token that has not begun on a clock that was set back is refused, though it has been seen', async (t) => {
  const app = await createApp(t, { config })
  const { token } = await genuine(app)
  t.equal(await verdict(app, token), 'good')
  app.clock.advance('-10m')
  t.equal(await verdict(app, token), 'invalid_claim')
})

t.test('what has been seen does not make its neighbours good', async (t) => {
  const app = await createApp(t, { config })
  const { token, header, payload, signature } = await genuine(app)
  t.equal(await verdict(app, token), 'good')
  const [head = '', body = '', tail = ''] = token.split('.')
  const neighbours = [
    `${head}.${body}.${'A'.repeat(tail.length - 1)}A`,
    `${head}.${encode({ ...payload, user_id: payload.sid, sub: payload.sid })}.${tail}`,
    `${encode({ ...header, kid: 'x' })}.${body}.${tail}`,
    `${head}.${body}.${encode(signature.subarray(0, 63))}`,
    `${head}.${body}.`,
    `${head}.${body}`
  ]
  for (const neighbour of neighbours) t.not(await verdict(app, neighbour), 'good', neighbour.slice(-20))
})

t.test('a revoked key takes what has been seen with it, here at once and elsewhere within a second', async (t) => {
  const one = await createApp(t, { config })
  const two = await createApp(t, { config: { ...config, databaseUrl: one.config.databaseUrl }, clock: one.clock })
  const { token, key } = await genuine(one)
  for (const app of [one, two]) t.equal((await present(app, token)).status, 200)
  await one.app.keys.revoke(key.kid)
  t.match(await present(one, token), { status: 401, rows: [{ reason: 'unknown_key' }] })
  // However busy the machine is: what begins a second later is refused, at the first look.
  await sleep(1000)
  t.match(await present(two, token), { status: 401, rows: [{ reason: 'unknown_key' }] })
})

t.test('a session that has ended is refused, though its token has been seen', async (t) => {
  const app = await createApp(t, { config })
  const { token } = await genuine(app)
  t.equal((await present(app, token)).status, 200)
  t.equal((await app.http('POST', '/auth/logout', { token })).status, 200)
  t.match(await present(app, token), { status: 401, code: 'session_ended', rows: [{ reason: 'session_ended' }] })
})
