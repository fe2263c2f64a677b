import { setTimeout as sleep } from 'node:timers/promises'
import { JwtVerifier } from 'aws-jwt-verify'
import { SimpleJwksCache } from 'aws-jwt-verify/jwk'
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { countingFetch, createIssuer, type Issuer, tokenFrom } from '../fixtures/issuer.js'
import { keyEvents, kidIn } from '../fixtures/keys.js'
import { decode } from '../fixtures/tokens.js'

/** jose as its documentation sets it up, and how often it has asked for the keys. */
function createJose({ issuer, jwksUrl, config: { audience } }: Issuer, options: { cacheMaxAge?: number } = {}) {
  const asked = countingFetch()
  const keys = createRemoteJWKSet(jwksUrl, { ...options, [customFetch]: asked })
  const judge = async (token: string): Promise<string> =>
    await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt', requiredClaims: ['exp'] }).then(
      () => 'good',
      (error) => String(error.code)
    )
  return { judge, asked }
}

function createAws({ issuer, config: { audience } }: Issuer) {
  const asked = countingFetch()
  // It asks by https alone; the rest of it does not mind.
  const fetcher = { fetch: async (url: string) => await (await asked(url)).arrayBuffer() }
  const verifier = JwtVerifier.create({ issuer, audience }, { jwksCache: new SimpleJwksCache({ fetcher }) })
  const judge = async (token: string): Promise<string> =>
    await verifier.verify(token).then(
      () => 'good',
      (error) => String(error.constructor.name)
    )
  return { judge, asked }
}

/** Moves the clock of everything in this process that asks `Date.now`. */
function movableTime(t: Test) {
  const real = Date.now.bind(Date)
  let ahead = 0
  t.intercept(Date, 'now', { value: () => real() + ahead })
  return (seconds: number) => {
    ahead += seconds * 1000
  }
}

t.test('a rotation in its time costs nobody a look: jose and aws-jwt-verify had the key already', async (t) => {
  const issuer = await createIssuer(t)
  const { keys } = issuer.app
  for (const { judge, asked } of [createJose(issuer), createAws(issuer)]) {
    const before = await tokenFrom(issuer)
    t.equal(await judge(before), 'good')
    issuer.clock.advance('24h')
    await keys.rotate()
    const after = await tokenFrom(issuer)
    t.not(kidIn(after), kidIn(before))
    t.strictSame([await judge(after), await judge(before)], ['good', 'good'])
    t.equal(asked.calls, 1)
  }
})

t.test(
  'jose asks again for a key that it does not know, once its cooldown is over, and then all is well',
  async (t) => {
    const move = movableTime(t)
    const issuer = await createIssuer(t)
    const { judge, asked } = createJose(issuer)
    const before = await tokenFrom(issuer)
    t.equal(await judge(before), 'good')
    for (const _ of [1, 2]) await issuer.app.keys.rotate({ force: true })
    const after = await tokenFrom(issuer)
    for (const _ of [1, 2, 3]) t.equal(await judge(after), 'ERR_JWKS_NO_MATCHING_KEY')
    t.equal(asked.calls, 1, 'strange kids are no way to make it ask')
    move(30)
    t.strictSame([await judge(after), await judge(before)], ['good', 'good'])
    t.equal(asked.calls, 2)
  }
)

t.test('aws-jwt-verify asks at once for a key that it does not know, and waits after it was not found', async (t) => {
  const issuer = await createIssuer(t)
  const { judge, asked } = createAws(issuer)
  const before = await tokenFrom(issuer)
  t.equal(await judge(before), 'good')
  for (const _ of [1, 2]) await issuer.app.keys.rotate({ force: true })
  const after = await tokenFrom(issuer)
  t.strictSame([await judge(after), await judge(before)], ['good', 'good'])
  t.equal(asked.calls, 2)
  const [, claims, signature] = after.split('.')
  const strange = Buffer.from('{"alg":"ES256","typ":"at+jwt","kid":"strange"}').toString('base64url')
  t.equal(await judge(`${strange}.${claims}.${signature}`), 'KidNotFoundInJwksError')
  t.equal(await judge(`${strange}.${claims}.${signature}`), 'WaitPeriodNotYetEndedJwkError')
  t.equal(await judge(after), 'good')
  t.equal(asked.calls, 3)
})

t.test(
  'the tokens of a revoked key are refused by jose when its ten minutes are over, by aws-jwt-verify never',
  async (t) => {
    const move = movableTime(t)
    const issuer = await createIssuer(t)
    const [jose, aws] = [createJose(issuer), createAws(issuer)]
    const token = await tokenFrom(issuer)
    for (const { judge } of [jose, aws]) t.equal(await judge(token), 'good')
    await issuer.app.keys.revoke(kidIn(token))
    t.equal((await issuer.http('GET', '/auth/me', { token })).status, 401)
    move(599)
    t.equal(await jose.judge(token), 'good')
    move(1)
    t.equal(await jose.judge(token), 'ERR_JWKS_NO_MATCHING_KEY')
    t.equal(await aws.judge(token), 'good', 'it keeps what it has read until it is started again')
    t.equal(await jose.judge(await tokenFrom(issuer)), 'good')
  }
)

t.test(
  'in real time, over several rotations, jose refuses not one good token, and never needs its cooldown',
  async (t) => {
    const issuer = await createIssuer(t, { keyRotationSeconds: 2, keyPublishAheadSeconds: 2, accessTokenTtlSeconds: 4 })
    const { judge } = createJose(issuer, { cacheMaxAge: 500 })
    const hasEnded = (token: string) => Date.now() >= Number(decode(token).payload.exp) * 1000
    const rotations = async () => (await keyEvents(issuer)).filter(({ type }) => type === 'key_rotated').length
    const kids = new Set<string>()
    let alive: string[] = []
    let checks = 0
    const refused: string[] = []
    while ((await rotations()) < 4) {
      const token = await tokenFrom(issuer)
      kids.add(kidIn(token))
      alive = [...alive, token].filter((one) => !hasEnded(one))
      const verdicts = await Promise.all(alive.map(judge))
      checks += verdicts.length
      // It may have ended while it was checked.
      refused.push(...verdicts.filter((verdict, at) => verdict !== 'good' && !hasEnded(alive[at] as string)))
      await sleep(50)
    }
    t.strictSame(refused, [])
    t.ok(kids.size >= 4)
    t.ok(checks > 100, `${checks} checks`)
  }
)
