import t, { type Test } from 'tap'
import { claimsFault } from '../../src/plugins/jwt/checks.js'
import { config, createApp, forge, genuine, type Json, present } from '../fixtures/tokens.js'

const es = await createApp(t, { config })
const own = await genuine(es)
const { user_id: userId, sid, email } = own.payload as Record<string, string>

/** Signed by us, and refused with this reason; the row says whose it was, where the claims still say it. */
async function refused(t: Test, change: Json | string, reason: string, name = JSON.stringify(change)): Promise<void> {
  const payload = typeof change === 'string' ? change : { ...own.payload, ...change }
  const { status, code, rows } = await present(es, forge(own.header, payload, own.key))
  t.equal(status, 401, name)
  t.equal(code, reason === 'token_expired' ? 'token_expired' : 'invalid_token', name)
  t.match(rows, [{ type: 'token_rejected', success: false, reason }], name)
  if (typeof change !== 'string' && !('user_id' in change)) t.equal(rows[0]?.user_id, userId, name)
  if (typeof change !== 'string' && !('sid' in change)) t.equal(rows[0]?.session_id, sid, name)
  if (typeof change !== 'string' && !('email' in change)) t.equal(rows[0]?.email, email, name)
}

t.test('each claim is required', async (t) => {
  for (const claim of ['user_id', 'email', 'iat', 'exp', 'sub', 'sid', 'jti', 'iss', 'aud']) {
    t.ok(claim in own.payload)
    await refused(t, { [claim]: undefined }, 'missing_claim', `without ${claim}`)
    await refused(t, { [claim]: null }, 'missing_claim', `${claim} is null`)
  }
  await refused(t, '{}', 'missing_claim')
  const inherited = JSON.stringify({ ...own.payload, sid: undefined }).replace('{', `{"__proto__":{"sid":"${sid}"},`)
  await refused(t, inherited, 'missing_claim')
})

t.test('each claim is of its type', async (t) => {
  const strange = [1, true, [], {}, '']
  for (const claim of ['email', 'jti']) {
    for (const value of strange) await refused(t, { [claim]: value }, 'invalid_claim')
  }
  const noUuids = [
    ...strange,
    'x',
    userId?.toUpperCase(),
    `${userId} `,
    `{${userId}}`,
    userId?.replaceAll('-', ''),
    [userId]
  ]
  for (const value of noUuids) {
    await refused(t, { user_id: value, sub: value }, 'invalid_claim')
    await refused(t, { sid: value }, 'invalid_claim')
  }
})

t.test('sub is the user_id, and nobody else', async (t) => {
  for (const sub of [sid, 'x', '', 1, [userId], {}, userId?.toUpperCase()]) await refused(t, { sub }, 'invalid_claim')
  await refused(t, { user_id: sid }, 'invalid_claim')
})

t.test('iss is exactly the issuer: no list, no part, no other spelling', async (t) => {
  const { issuer } = es.config
  const others = [[issuer], [], {}, 1, true, '', `${issuer}/`, issuer.slice(0, -1), issuer.toUpperCase(), ` ${issuer}`]
  others.push(`${issuer}.example.com`, new URL(issuer).origin, issuer.replace('http:', 'https:'), 'x')
  for (const iss of others) await refused(t, { iss }, 'wrong_issuer')
})

t.test('aud is exactly the audience, and a string', async (t) => {
  const { audience } = es.config
  const others = [[audience], ['other'], ['other', audience], [], {}, 1, true, '', 'other', `${audience} `]
  for (const aud of [...others, audience.toUpperCase(), audience.slice(0, -1)])
    await refused(t, { aud }, 'wrong_audience')
})

t.test('times are whole seconds: no text, no fraction, none before the epoch, none without end', async (t) => {
  const { iat, exp } = own.payload as { iat: number; exp: number }
  for (const value of [String(exp), exp + 0.5, -1, -exp, true, [], {}, [exp], '', 1e308, 2 ** 53]) {
    await refused(t, { exp: value }, 'invalid_claim')
  }
  for (const value of [String(iat), iat + 0.5, -1, true, [], {}, '', 1e308]) {
    await refused(t, { iat: value }, 'invalid_claim')
    await refused(t, { nbf: value }, 'invalid_claim')
  }
  await refused(t, { nbf: null }, 'invalid_claim')
  const text = JSON.stringify(own.payload)
  for (const number of ['1e400', '-1e400', '1e-400', '99999999999999999999999']) {
    await refused(t, text.replace(/"exp":\d+/, `"exp":${number}`), 'invalid_claim', number)
  }
})

t.test('what is not good yet, lives too long, or ends before it begins is refused', async (t) => {
  const now = Math.floor(es.clock.now() / 1000)
  const ttl = es.config.accessTokenTtlSeconds
  await refused(t, { iat: now + 60, exp: now + 60 + ttl }, 'invalid_claim', 'iat in the future')
  await refused(t, { nbf: now + 60 }, 'invalid_claim', 'nbf in the future')
  await refused(t, { exp: Number(own.payload.iat) + ttl + 6 }, 'invalid_claim', 'a longer life than any of ours')
  await refused(t, { exp: Number(own.payload.iat) - 1 }, 'invalid_claim', 'ends before it begins')
  await refused(t, { iat: now - 100, exp: now - 50 }, 'token_expired')
  await refused(t, { iat: 0, exp: 0 }, 'token_expired')
  const past = forge(own.header, { ...own.payload, nbf: now - 60 }, own.key)
  t.equal((await present(es, past)).status, 200, 'nbf in the past')
})

t.test('the leeway is five seconds, to the second, in every direction', async (t) => {
  const now = 1_800_000_000
  const expected = { issuer: 'i', audience: 'a', ttlSeconds: 100, now }
  const uuid = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'
  const judge = (times: Json, at = now) => {
    const claims = { user_id: uuid, sub: uuid, sid: uuid, jti: 'j', email: 'e', iss: 'i', aud: 'a', ...times }
    return claimsFault(claims, { ...expected, now: at })
  }
  t.equal(judge({ iat: now - 10, exp: now - 4 }), undefined)
  t.equal(judge({ iat: now - 10, exp: now - 4 }, now + 0.999), undefined)
  t.equal(judge({ iat: now - 10, exp: now - 5 }), 'token_expired')
  t.equal(judge({ iat: now + 5, exp: now + 50 }), undefined)
  t.equal(judge({ iat: now + 6, exp: now + 50 }), 'invalid_claim')
  t.equal(judge({ iat: now, nbf: now + 5, exp: now + 50 }), undefined)
  t.equal(judge({ iat: now, nbf: now + 6, exp: now + 50 }), 'invalid_claim')
  t.equal(judge({ iat: now, exp: now + 105 }), undefined)
  t.equal(judge({ iat: now, exp: now + 106 }), 'invalid_claim')
  t.equal(judge({ iat: now, exp: now }), undefined)
  t.equal(judge({ iat: now, exp: now - 1 }), 'invalid_claim')
})

t.test('what is wrong for good is not called expired', async (t) => {
  const now = Math.floor(es.clock.now() / 1000)
  const old = { iat: now - 100, exp: now - 50 }
  await refused(t, { ...old, iss: 'x' }, 'wrong_issuer')
  await refused(t, { ...old, aud: 'x' }, 'wrong_audience')
  await refused(t, { ...old, jti: undefined }, 'missing_claim')
  await refused(t, { ...old, sub: 'x' }, 'invalid_claim')
})

t.test('a signed claim that the trail cannot hold is left out of the row, and the answer is still 401', async (t) => {
  for (const value of ['ada\u0000@example.com', '\ud800@example.com', 'x'.repeat(1000), 'ada @example.com']) {
    const payload = { ...own.payload, email: value, aud: 'other' }
    const { status, rows } = await present(es, forge(own.header, payload, own.key))
    t.equal(status, 401)
    t.match(rows, [{ reason: 'wrong_audience', user_id: userId, email: null }], JSON.stringify(value).slice(0, 40))
  }
})
