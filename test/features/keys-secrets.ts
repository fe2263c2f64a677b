import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createApp } from '../fixtures/app.js'
import { until } from '../fixtures/database.js'
import {
  beside,
  jwtSecret,
  keyEvents,
  kidOf,
  otherJwtSecret,
  secret,
  started,
  states,
  tokenOf
} from '../fixtures/keys.js'
import { unlimited } from '../fixtures/sessions.js'
import { verdict } from '../fixtures/tokens.js'

t.test('from HS256 to ES256 and back nobody is lost, whichever instance is asked', async (t) => {
  const hs = await createApp(t, { config: { ...unlimited, jwtSecret } })
  const first = await tokenOf(hs)
  const es = await beside(t, hs)
  const second = await tokenOf(es)
  const again = await beside(t, hs, { config: { jwtSecret } })
  const third = await tokenOf(again)
  const fresh = await beside(t, hs)
  const tokens = [first, second, third, await tokenOf(fresh)]
  for (const app of [hs, es, again, fresh]) {
    t.strictSame(await Promise.all(tokens.map((token) => verdict(app, token))), ['good', 'good', 'good', 'good'])
  }
  t.match(await states(es), { previous: 1, current: 1, next: 1 })

  hs.clock.advance('1439m')
  for (const app of [es, fresh]) {
    await app.app.keys.tick()
    t.strictSame(await Promise.all(tokens.map((token) => verdict(app, token))), ['good', 'good', 'good', 'good'])
  }
  hs.clock.advance('70s')
  t.equal(await verdict(es, first), 'token_expired')
})

t.test('under HS256 there is nothing to publish, but for key pairs whose tokens may be alive', async (t) => {
  const hs = await createApp(t, { config: { ...unlimited, jwtSecret } })
  t.equal((await hs.http('GET', '/auth/.well-known/jwks.json')).raw, '{"keys":[]}')
  t.strictSame(await states(hs), { current: 1 })

  const es = await beside(t, hs)
  const token = await tokenOf(es)
  await es.app.close()
  const back = await beside(t, hs, { config: { jwtSecret } })
  t.strictSame(
    back.app.keys.jwks().keys.map(({ kid }) => kid),
    [es.app.keys.current().kid]
  )
  back.clock.advance('23h')
  await back.app.keys.tick()
  t.equal(await verdict(back, token), 'good')
  back.clock.advance('2h')
  await back.app.keys.tick()
  t.strictSame(back.app.keys.jwks(), { keys: [] })
  t.equal((await back.http('GET', '/auth/.well-known/jwks.json')).raw, '{"keys":[]}')
})

t.test('a changed JWT_SECRET loses nobody, and the old one is good until its last token has expired', async (t) => {
  const old = await createApp(t, { config: { ...unlimited, jwtSecret } })
  const changed = await beside(t, old, { config: { jwtSecret: otherJwtSecret } })
  const tokens = [await tokenOf(old), await tokenOf(changed)]
  for (const app of [old, changed]) {
    t.strictSame(await Promise.all(tokens.map((token) => verdict(app, token))), ['good', 'good'])
  }
  await old.app.close()
  changed.clock.advance('25h')
  await changed.app.keys.tick()
  t.equal(await verdict(changed, tokens[0] as string), 'unknown_key')
  t.strictSame(
    (await keyEvents(old)).map(({ type, details }) => [type, details.algorithm]),
    [
      ['key_created', 'HS256'],
      ['key_created', 'HS256']
    ]
  )
})

t.test('where JWT_SECRET signs there is nothing to rotate; revoked, it signs no more', async (t) => {
  const hs = await createApp(t, { config: { ...unlimited, jwtSecret } })
  const token = await tokenOf(hs)
  await t.rejects(hs.app.keys.rotate({ force: true }), { code: 'invalid_request', status: 400 })
  await hs.app.keys.revoke(hs.app.keys.current().kid)
  t.equal(await verdict(hs, token), 'unknown_key')
  t.throws(() => hs.app.keys.current(), { code: 'unavailable' })
  const same = await started(t, hs, { jwtSecret })
  await until(() => same.log().some(({ reason }) => /JWT_SECRET was revoked: set another/.test(String(reason))))
  const other = await beside(t, hs, { config: { jwtSecret: otherJwtSecret } })
  t.equal(await verdict(other, await tokenOf(other)), 'good')
})

t.test('AUTH_SECRET changes with no key lost: new as previous, swap, drop', async (t) => {
  const [oldSecret, newSecret] = [secret(), secret()]
  const before = await createApp(t, { config: { ...unlimited, authSecret: oldSecret } })
  const prepared = await beside(t, before, { config: { authSecret: oldSecret, authSecretPrevious: newSecret } })
  const swapped = await beside(t, before, { config: { authSecret: newSecret, authSecretPrevious: oldSecret } })
  // Made while the change was under way, by one that has not been swapped yet.
  await prepared.app.keys.rotate({ force: true })
  const late = await beside(t, before, { config: { authSecret: newSecret, authSecretPrevious: oldSecret } })
  for (const app of [before, prepared, swapped]) await app.app.close()
  const dropped = await beside(t, before, { config: { authSecret: newSecret } })
  const tokens = [await tokenOf(late), await tokenOf(dropped)]
  t.strictSame(await Promise.all(tokens.map((token) => verdict(dropped, token))), ['good', 'good'])
  t.strictSame(await states(dropped), { previous: 1, current: 1, next: 1 })
  t.equal((await keyEvents(dropped)).filter(({ type }) => type === 'key_created').length, 3)
})

t.test('while the secret changes, every instance opens what any other makes', async (t) => {
  const [oldSecret, newSecret] = [secret(), secret()]
  const prepared = await createApp(t, {
    config: { ...unlimited, authSecret: oldSecret, authSecretPrevious: newSecret }
  })
  const swapped = await beside(t, prepared, { config: { authSecret: newSecret, authSecretPrevious: oldSecret } })
  for (const [maker, other] of [
    [prepared, swapped],
    [swapped, prepared]
  ] as const) {
    await maker.app.keys.rotate({ force: true })
    await maker.app.keys.rotate({ force: true })
    const token = await tokenOf(maker)
    t.equal(await verdict(other, token), 'good')
    t.equal(other.app.keys.current().kid, maker.app.keys.current().kid)
  }
})

t.test('a wrong AUTH_SECRET is said in the log, nothing is signed, and no key is made', async (t) => {
  const app = await createApp(t, { config: unlimited })
  const rows = async () => [...(await app.sql`select * from postern.signing_keys order by kid`)]
  const before = await rows()
  const wrong = await started(t, app, { authSecret: secret() })
  const kid = await kidOf(app, 'current')
  await until(() => wrong.log().some(({ reason }) => String(reason).includes(`does not open the signing key ${kid}`)))
  const said = wrong.log().filter(({ msg }) => String(msg).includes('AUTH_SECRET does not open these signing keys'))
  t.equal(said.length, 1, 'once, not at each look')
  t.equal(said[0]?.level, 'error')
  t.not(wrong.app.database.state(), 'ready')
  t.equal((await wrong.app.inject('/readyz')).statusCode, 503)
  t.equal((await wrong.app.inject('/auth/.well-known/jwks.json')).statusCode, 503)
  t.strictSame(await rows(), before)

  // Also when the next one is due, and nobody else is there to make it.
  await app.app.close()
  app.clock.advance('91d')
  const late = await started(t, app, { authSecret: secret() })
  await until(() => late.log().some(({ reason }) => /does not open the signing key/.test(String(reason))))
  t.strictSame(await rows(), before)
  const right = await beside(t, app)
  t.strictSame(await states(right), { previous: 1, current: 1, next: 1 })
  t.equal(await verdict(right, await tokenOf(right)), 'good')
})

t.test('a key rests encrypted, and names nothing that makes a token', async (t) => {
  for (const config of [{ jwtSecret }, {}, { jwtAlgorithm: 'EdDSA' }, { jwtAlgorithm: 'RS256' }] as const) {
    const app = await createApp(t, { config: { ...unlimited, ...config } })
    const key = app.app.keys.current()
    const rows = await app.sql`select * from postern.signing_keys`
    const text = JSON.stringify(rows)
    const material = Buffer.isBuffer(key.signWith) ? key.signWith.toString('utf8') : key.signWith.split('\n')[1]
    t.notOk(text.includes(material as string))
    t.notOk(/PRIVATE|BEGIN/.test(text))
    for (const { algorithm, public_jwk: jwk, private_key_ciphertext: sealed } of rows) {
      t.match(sealed, /^v1\.[A-Za-z0-9_-]{60,}$/)
      if (algorithm === 'HS256') t.equal(jwk, null)
      else
        t.strictSame(
          Object.keys(jwk).filter((member) => /^(?:d|p|q|dp|dq|qi|k|oth)$/.test(member)),
          []
        )
    }
    const ciphertexts = new Set(rows.map((row) => row.private_key_ciphertext))
    t.equal(ciphertexts.size, rows.length)
  }
})

t.test('a sealed key is good in its own row alone, and under its own algorithm', async (t) => {
  const alter = async (
    change: (app: Awaited<ReturnType<typeof createApp>>, kid: string, next: string) => Promise<unknown>
  ) => {
    const app = await createApp(t, { config: unlimited })
    const kid = await kidOf(app, 'current')
    await change(app, kid, await kidOf(app, 'next'))
    const { log } = await started(t, app, {})
    await until(() => log().some(({ reason }) => String(reason).includes(`does not open the signing key`)))
    t.pass()
  }
  await alter(
    ({ sql }, kid, next) => sql`update postern.signing_keys set private_key_ciphertext =
    (select private_key_ciphertext from postern.signing_keys where kid = ${next}) where kid = ${kid}`
  )
  await alter(async ({ sql }, kid) => {
    await sql`update postern.signing_keys set algorithm = 'EdDSA' where kid = ${kid}`
  })
  await alter(async ({ sql }, kid) => {
    await sql`update postern.signing_keys set algorithm = 'RS256' where kid = ${kid}`
  })
  await alter(async ({ sql }, kid) => {
    await sql`update postern.signing_keys set private_key_ciphertext = ${`v1.${randomBytes(200).toString('base64url')}`}
      where kid = ${kid}`
  })
  await alter(async ({ sql }, kid) => {
    const stranger = 'A'.repeat(43)
    await sql`update postern.signing_keys set kid = ${stranger} where kid = ${kid}`
  })
})

t.test(
  'a stranger in the table is not a key: it is neither published nor accepted, and the others go on',
  async (t) => {
    const app = await createApp(t, { config: unlimited })
    await app.sql`insert into postern.signing_keys (kid, algorithm, public_jwk, private_key_ciphertext, created_at, active_at, replaced_at, retires_at)
    select 'stranger', 'HS256', public_jwk, private_key_ciphertext, created_at, active_at, now() + interval '1 day', retires_at
    from postern.signing_keys limit 1`
    await app.app.keys.tick()
    t.equal(await app.app.keys.find('stranger'), undefined)
    t.equal(app.app.keys.jwks().keys.length, 2)
    t.equal(await verdict(app, await tokenOf(app)), 'good')
    const other = await beside(t, app)
    t.equal(await verdict(other, await tokenOf(app)), 'good')
  }
)
