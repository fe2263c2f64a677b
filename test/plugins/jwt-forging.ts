import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { config, createApp, encode, forge, genuine, type Json, present, signature } from '../fixtures/tokens.js'

const jwtSecret = Buffer.from('K8sJ2nR5vX1qYbT7mWcZ4hLpE9dGfA3uQx6iOyNk', 'utf8')
const strange = [1, true, null, {}, [], ['ES256'], '']

const es = await createApp(t, { config })
const hs = await createApp(t, { config: { ...config, jwtSecret } })
const own = await genuine(es)
const shared = await genuine(hs)

/** Refused as 401 with this reason, and the row names nobody: what is not ours says nothing. */
async function refused(t: Test, app: typeof es, token: string, reason: string, name = ''): Promise<void> {
  const { status, code, rows } = await present(app, token)
  t.equal(status, 401, name)
  t.equal(code, 'invalid_token', name)
  const row = { type: 'token_rejected', success: false, reason, user_id: null, email: null, session_id: null }
  t.strictSame(
    rows.map(({ details, ...rest }) => rest),
    [row],
    name
  )
}

t.test('the tokens that the forgeries are made from are good, also made by the test itself', async (t) => {
  for (const [app, { token, header, payload, key }] of [
    [es, own],
    [hs, shared]
  ] as const) {
    t.equal((await present(app, token)).status, 200)
    t.equal((await present(app, forge(header, payload, key))).status, 200)
  }
})

t.test('alg none is refused in any case, with and without a signature', async (t) => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', 'none ', ' none', 'non\u0435']) {
    for (const [app, { header, payload, token }] of [
      [es, own],
      [hs, shared]
    ] as const) {
      const signed = `${encode({ ...header, alg })}.${encode(payload)}`
      await refused(t, app, `${signed}.`, 'wrong_algorithm', alg)
      await refused(t, app, `${signed}.${token.split('.')[2]}`, 'wrong_algorithm', alg)
      const withoutKid = `${encode({ alg, typ: 'at+jwt' })}.${encode(payload)}.`
      await refused(t, app, withoutKid, 'unknown_key', alg)
    }
  }
})

t.test('the header does not choose the algorithm, whatever it says and however it is signed', async (t) => {
  const names = ['es256', 'ES256 ', 'ES256K', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA', 'HS384', 'HS512', 'A256GCM']
  for (const alg of [...names, ...strange]) {
    await refused(t, es, forge({ ...own.header, alg }, own.payload, own.key), 'wrong_algorithm', String(alg))
  }
  for (const alg of ['HS384', 'HS512'] as const) {
    const key = { algorithm: alg, signWith: jwtSecret }
    await refused(t, hs, forge({ ...shared.header, alg }, shared.payload, key), 'wrong_algorithm', alg)
  }
  const { alg: _, ...withoutAlg } = own.header
  await refused(t, es, forge(withoutAlg, own.payload, own.key), 'wrong_algorithm')
})

t.test('HS256 with the public key as its secret is refused, in every form that the key has', async (t) => {
  const jwk = es.app.keys.jwks().keys[0]
  const pem = String(own.key.verifyWith)
  const publicKey = createPublicKey(pem)
  const secrets: Record<string, string | Buffer> = {
    pem,
    'pem without its last newline': pem.trim(),
    'pem with CRLF': pem.replaceAll('\n', '\r\n'),
    der: publicKey.export({ type: 'spki', format: 'der' }),
    jwk: JSON.stringify(jwk),
    'key set': JSON.stringify(es.app.keys.jwks()),
    x: Buffer.from(String(jwk?.x), 'base64url'),
    kid: own.key.kid,
    empty: ''
  }
  for (const [name, secret] of Object.entries(secrets)) {
    const key = { algorithm: 'HS256', signWith: Buffer.from(secret as string) }
    await refused(t, es, forge({ ...own.header, alg: 'HS256' }, own.payload, key), 'wrong_algorithm', name)
    await refused(t, es, forge(own.header, own.payload, key), 'bad_signature', name)
  }
})

t.test("a token under another key is refused, also when it names that key's neighbour", async (t) => {
  const next = (await es.app.keys.list()).find(({ state }) => state === 'next')
  await refused(t, es, forge({ ...own.header, kid: next?.kid }, own.payload, own.key), 'bad_signature')
  await refused(t, es, forge({ ...own.header, kid: shared.key.kid }, own.payload, own.key), 'unknown_key')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await refused(t, es, forge(own.header, own.payload, { algorithm: 'ES256', signWith: privateKey }), 'bad_signature')
  const guess = { algorithm: 'HS256', signWith: Buffer.from('secret') }
  await refused(t, hs, forge(shared.header, shared.payload, guess), 'bad_signature')
})

t.test('a kid is looked up among our keys and is nothing else: no path, no SQL, no property', async (t) => {
  const kids = [
    '../../../../dev/null',
    '/etc/passwd',
    "' or 1=1 --",
    "x' union select 'AAAA",
    '__proto__',
    'constructor'
  ]
  kids.push('toString', 'hasOwnProperty', '0', '', ' ', '\u0000', '\ud800', 'k'.repeat(4000), `${own.key.kid} `)
  kids.push(`${own.key.kid}\u0000`, own.key.kid.toUpperCase(), 'http://127.0.0.1/key', 'file:///dev/null', '*', '%')
  for (const kid of [...kids, ...strange]) {
    await refused(t, es, forge({ ...own.header, kid }, own.payload, own.key), 'unknown_key', String(kid))
  }
  const { kid: _, ...withoutKid } = own.header
  await refused(t, es, forge(withoutKid, own.payload, own.key), 'unknown_key')
  const proto = JSON.stringify(withoutKid).replace('{', `{"__proto__":{"kid":"${own.key.kid}"},`)
  await refused(t, es, forge(proto, own.payload, own.key), 'unknown_key')
})

t.test('a key that a token brings, or says where to find, is not taken and not fetched', async (t) => {
  let fetched = 0
  const server = createServer((_request, response) => {
    fetched += 1
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const theirs = { algorithm: 'ES256', signWith: privateKey }
  const jwk = publicKey.export({ format: 'jwk' })
  const der = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  for (const member of [{ jwk }, { jku: url }, { x5u: url }, { x5c: [der] }, { jwk: null }, { jku: '' }]) {
    const name = JSON.stringify(member)
    await refused(t, es, forge({ ...own.header, ...member }, own.payload, theirs), 'token_malformed', name)
    await refused(t, es, forge({ ...own.header, ...member }, own.payload, own.key), 'token_malformed', name)
  }
  t.equal(fetched, 0)
})

t.test('what would change how a token is read is refused, also in a token that we signed', async (t) => {
  const members: Json[] = [
    { crit: ['exp'] },
    { crit: ['b64'], b64: false },
    { crit: ['http://example.com/UNDEFINED'], 'http://example.com/UNDEFINED': true },
    { crit: [] },
    { crit: null },
    { crit: 'exp' },
    { b64: false },
    { b64: true },
    { zip: 'DEF' },
    { cty: 'JWT' },
    { enc: 'A256GCM' },
    { epk: {} }
  ]
  for (const member of members) {
    const token = forge({ ...own.header, ...member }, own.payload, own.key)
    await refused(t, es, token, 'token_malformed', JSON.stringify(member))
  }
})

t.test('another kind of token does not pass for an access token', async (t) => {
  const types = ['JWT', 'jwt', 'AT+JWT', 'at+jwt ', 'application/at+jwt', 'refresh+jwt', 'dpop+jwt', 'logout+jwt']
  for (const typ of [...types, ...strange]) {
    await refused(t, es, forge({ ...own.header, typ }, own.payload, own.key), 'wrong_type', String(typ))
  }
  const { typ: _, ...withoutTyp } = own.header
  await refused(t, es, forge(withoutTyp, own.payload, own.key), 'wrong_type')
})

t.test('a signature is the one that the key makes for this token, and has one form', async (t) => {
  const { header, payload, key } = own
  const signed = `${encode(header)}.${encode(payload)}`
  const good = signature('ES256', signed, key.signWith)
  const [r, s] = [good.subarray(0, 32), good.subarray(32)]
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
  const otherS = (BigInt(`0x${order.toString('hex')}`) - BigInt(`0x${s.toString('hex')}`))
    .toString(16)
    .padStart(64, '0')
  const signatures: Record<string, Buffer> = {
    none: Buffer.alloc(0),
    'the other of the two that ECDSA has': Buffer.concat([r, Buffer.from(otherS, 'hex')]),
    'zeros (CVE-2022-21449)': Buffer.alloc(64),
    'r is zero': Buffer.concat([Buffer.alloc(32), s]),
    's is zero': Buffer.concat([r, Buffer.alloc(32)]),
    'the order': Buffer.concat([order, order]),
    ones: Buffer.alloc(64, 255),
    swapped: Buffer.concat([s, r]),
    'cut short': good.subarray(0, 63),
    'half of it': r,
    'one byte more': Buffer.concat([good, Buffer.alloc(1)]),
    'one byte before': Buffer.concat([Buffer.alloc(1), good]),
    twice: Buffer.concat([good, good]),
    'an HMAC': createHmac('sha256', String(key.verifyWith)).update(signed).digest(),
    'of another token': signature('ES256', `${encode(header)}.${encode({ ...payload, jti: 'x' })}`, key.signWith)
  }
  for (const [name, bytes] of Object.entries(signatures)) {
    await refused(t, es, `${signed}.${bytes.toString('base64url')}`, 'bad_signature', name)
  }
  t.equal((await present(es, `${signed}.${good.toString('base64url')}`)).status, 200)
})

t.test('an HMAC is compared whole', async (t) => {
  const { header, payload } = shared
  const signed = `${encode(header)}.${encode(payload)}`
  const good = signature('HS256', signed, jwtSecret)
  for (const bytes of [Buffer.alloc(0), good.subarray(0, 16), good.subarray(0, 31), Buffer.concat([good, good])]) {
    await refused(t, hs, `${signed}.${bytes.toString('base64url')}`, 'bad_signature', `${bytes.length} bytes`)
  }
})

t.test('EdDSA takes only the canonical S, RS256 only a signature of the full length', async (t) => {
  const ed = await createApp(t, { config: { ...config, jwtAlgorithm: 'EdDSA' } })
  const edOwn = await genuine(ed)
  const signed = edOwn.token.slice(0, edOwn.token.lastIndexOf('.'))
  const little = (bytes: Buffer) => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
  const L = 2n ** 252n + 27742317777372353535851937790883648493n
  const larger = (little(edOwn.signature.subarray(32)) + L).toString(16).padStart(64, '0')
  const other = Buffer.concat([edOwn.signature.subarray(0, 32), Buffer.from(larger, 'hex').reverse()])
  await refused(t, ed, `${signed}.${other.toString('base64url')}`, 'bad_signature', 'S + L')
  await refused(t, ed, `${signed}.${edOwn.signature.subarray(0, 63).toString('base64url')}`, 'bad_signature')
  await refused(t, ed, `${signed}.${Buffer.alloc(64).toString('base64url')}`, 'bad_signature')

  const rs = await createApp(t, { config: { ...config, jwtAlgorithm: 'RS256' } })
  const rsOwn = await genuine(rs)
  const rsSigned = rsOwn.token.slice(0, rsOwn.token.lastIndexOf('.'))
  for (const bytes of [
    Buffer.concat([Buffer.alloc(1), rsOwn.signature]),
    rsOwn.signature.subarray(0, 255),
    Buffer.alloc(256),
    Buffer.alloc(256, 255),
    Buffer.concat([Buffer.alloc(255), Buffer.from([1])])
  ]) {
    await refused(t, rs, `${rsSigned}.${bytes.toString('base64url')}`, 'bad_signature', `${bytes.length} bytes`)
  }
})
