import t, { type Test } from 'tap'
import { config, createApp, decode, encode, forge, genuine, present, verdict } from '../fixtures/tokens.js'

const jwtSecret = Buffer.from('K8sJ2nR5vX1qYbT7mWcZ4hLpE9dGfA3uQx6iOyNk', 'utf8')
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const es = await createApp(t, { config })
const own = await genuine(es)
const [head = '', body = '', tail = ''] = own.token.split('.')

async function malformed(t: Test, token: string, name: string): Promise<void> {
  const { status, code, rows } = await present(es, token)
  t.equal(status, 401, name)
  t.equal(code, 'invalid_token', name)
  t.match(rows, [{ type: 'token_rejected', success: false, reason: 'token_malformed', user_id: null }], name)
}

t.test('every single bit of a token matters: with any one flipped it is refused', async (t) => {
  const services = { ES256: es, HS256: await createApp(t, { config: { ...config, jwtSecret } }) }
  for (const [name, app] of Object.entries(services)) {
    const { token } = await genuine(app)
    const text = Buffer.from(token, 'latin1')
    const altered = Array.from({ length: 8 * text.length }, (_, bit) => {
      const copy = Buffer.from(text)
      copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
      return copy.toString('latin1')
    })
    const verdicts = await Promise.all(altered.map((one) => verdict(app, one)))
    const reasons = new Set(verdicts)
    t.ok(altered.length > 4000, name)
    t.notOk(reasons.has('good'), name)
    t.strictSame(
      [...reasons].filter((reason) => !/^(?:token_malformed|bad_signature|unknown_key|wrong_|missing_)/.test(reason)),
      []
    )
    t.equal(await verdict(app, token), 'good', name)
  }
})

t.test('every bit of the decoded parts matters, too', async (t) => {
  const parts = [head, body, tail].map((part) => Buffer.from(part, 'base64url'))
  const altered = parts.flatMap((part, index) =>
    Array.from({ length: 8 * part.length }, (_, bit) => {
      const copy = Buffer.from(part)
      copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
      return parts.map((one, other) => encode(other === index ? copy : one)).join('.')
    })
  )
  const verdicts = await Promise.all(altered.map((token) => verdict(es, token)))
  t.strictSame(
    verdicts.filter((reason) => reason === 'good' || !/^[a-z_]+$/.test(reason)),
    []
  )
})

t.test('a token has one text: no padding, no other alphabet, no white space, no spare bits', async (t) => {
  const spelled: Record<string, string> = {
    'padding after the header': `${head}=.${body}.${tail}`,
    'padding after the claims': `${head}.${body}=.${tail}`,
    'padding at the end': `${own.token}=`,
    'double padding at the end': `${own.token}==`,
    'a space at the end': `${own.token} `,
    'a space inside': `${head}. ${body}.${tail}`,
    'a tab inside': `${head}.\t${body}.${tail}`,
    'a space at the beginning': ` ${own.token}`,
    'the standard alphabet': `${head}.${body}.${tail}`.replaceAll('_', '/').replaceAll('-', '+'),
    'percent encoding': own.token.replaceAll('.', '%2E'),
    'quotation marks': `"${own.token}"`,
    'a comma and another': `${own.token},${own.token}`
  }
  for (const [name, token] of Object.entries(spelled)) {
    if (token !== own.token) await malformed(t, token, name)
  }
  for (const character of ['\n', '\r', '\u0000', '\u00a0', '\u2028', '\ufeff', 'é', '=']) {
    for (const token of [
      `${own.token}${character}`,
      `${character}${own.token}`,
      `${head}${character}.${body}.${tail}`
    ]) {
      t.equal(await verdict(es, token), 'token_malformed', `U+${character.codePointAt(0)?.toString(16)}`)
    }
  }
})

t.test('bits behind the last byte have to be zero', async (t) => {
  // 64 bytes are 86 characters, of which the last has four spare bits.
  t.equal(tail.length, 86)
  const value = ALPHABET.indexOf(tail.at(-1) ?? '')
  for (let spare = 1; spare < 16; spare += 1) {
    await malformed(t, `${head}.${body}.${tail.slice(0, -1)}${ALPHABET[value + spare]}`, `+${spare}`)
  }
  await malformed(t, own.token.slice(0, -1), 'a lone last character')
})

t.test('what has not three parts is no token: one, two, four, five (JWE), six, or empty ones', async (t) => {
  const parts = [head, `${head}.${body}`, `${own.token}.`, `.${own.token}`, `${own.token}.${tail}`]
  parts.push(
    `${head}.${tail}.${tail}.${body}.${tail}`,
    `${own.token}.${own.token}`,
    `${head}..${tail}`,
    `.${body}.${tail}`
  )
  parts.push('.', '..', '...', '....', '-', 'null', 'undefined', 'a.b.c', `${'.'.repeat(8000)}`)
  for (const token of parts) await malformed(t, token, token.slice(0, 40))
})

t.test('the JSON serialisations of JWS are no tokens', async (t) => {
  const flattened = JSON.stringify({ protected: head, payload: body, signature: tail })
  const general = JSON.stringify({ payload: body, signatures: [{ protected: head, signature: tail }] })
  for (const text of [flattened, general]) {
    await malformed(t, text, text.slice(0, 20))
    await malformed(t, encode(text), 'encoded')
    t.equal(await verdict(es, text), 'token_malformed')
  }
})

t.test('a header or claims that are no JSON object are refused, also when we signed them', async (t) => {
  const texts: Record<string, string | Buffer> = {
    empty: '',
    array: JSON.stringify([own.payload]),
    string: JSON.stringify(own.token),
    number: '1',
    null: 'null',
    'cut short': JSON.stringify(own.payload).slice(0, -1),
    'something behind it': `${JSON.stringify(own.payload)}x`,
    'two objects': `${JSON.stringify(own.payload)}{}`,
    'a byte order mark': `\ufeff${JSON.stringify(own.payload)}`,
    'a trailing comma': `${JSON.stringify(own.payload).slice(0, -1)},}`,
    'single quotes': JSON.stringify(own.payload).replaceAll('"', "'"),
    'a comment': `${JSON.stringify(own.payload)}/* */`,
    NaN: JSON.stringify(own.payload).replace(/"exp":\d+/, '"exp":NaN'),
    'invalid UTF-8': Buffer.concat([
      Buffer.from(JSON.stringify(own.payload).slice(0, -1)),
      Buffer.from(',"a":"'),
      Buffer.from([0xff, 0xc0, 0x80]),
      Buffer.from('"}')
    ]),
    'an overlong form': Buffer.from([0x7b, 0xc0, 0xa2, 0x7d]),
    UTF16: Buffer.from(JSON.stringify(own.payload), 'utf16le'),
    deep: '['.repeat(3000)
  }
  for (const [name, text] of Object.entries(texts)) {
    await malformed(t, forge(own.header, text, own.key), `claims: ${name}`)
    await malformed(t, forge(text, own.payload, own.key), `header: ${name}`)
  }
})

t.test('a name that comes twice, at any depth and in any spelling, is refused', async (t) => {
  const claims = JSON.stringify(own.payload)
  const doubles = [
    claims.replace('{', '{"user_id":"01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a",'),
    claims.replace('}', ',"user_id":"01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a"}'),
    claims.replace('{', '{"\\u0075ser_id":"01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a",'),
    claims.replace('{', '{"exp":99999999999,'),
    claims.replace('{', '{"a":1,"a":1,'),
    claims.replace('{', '{"a":{"b":1,"b":2},'),
    claims.replace('{', '{"a":[{"b":1,"b":2}],'),
    claims.replace('{', '{"":1,"":2,'),
    claims.replace('{', '{"__proto__":1,"__proto__":2,')
  ]
  for (const text of doubles) await malformed(t, forge(own.header, text, own.key), text.slice(0, 60))
  const header = JSON.stringify(own.header)
  for (const text of [header.replace('{', '{"alg":"none",'), header.replace('{', '{"k\\u0069d":"x",')]) {
    await malformed(t, forge(text, own.payload, own.key), text.slice(0, 60))
  }
  const apart = claims.replace('{', '{"a":{"user_id":1},"b":[{"a":1},{"a":2}],"c":"\\"a\\":1,\\"a\\":2",')
  t.equal(await verdict(es, forge(own.header, apart, own.key)), 'good', 'one name in two objects is no double')
})

t.test('unknown claims and header members are ignored, as the standard wants it', async (t) => {
  const header = { ...own.header, 'x-trace': 'a', x5t: 'b' }
  const payload = { ...own.payload, scope: 'a b', role: 'admin', nested: { deep: [1] } }
  const { status, rows } = await present(es, forge(header, payload, own.key))
  t.equal(status, 200)
  t.strictSame(rows, [])
})

t.test('a token of 8 KiB is read, a longer one is refused unread', async (t) => {
  const withLength = (length: number) => {
    for (let size = 1; ; size += 1) {
      const token = forge(own.header, { ...own.payload, filler: 'x'.repeat(size) }, own.key)
      if (token.length === length) return token
      if (token.length > length)
        return forge({ ...own.header, p: 'x' }, { ...own.payload, filler: 'x'.repeat(size - 8) }, own.key)
    }
  }
  const fits = withLength(8192)
  t.ok(fits.length <= 8192 && fits.length > 8160)
  t.equal((await present(es, fits)).status, 200)
  const tooLong = forge(own.header, { ...own.payload, filler: 'x'.repeat(6000) }, own.key)
  t.ok(tooLong.length > 8192 && tooLong.length < 12_000)
  await malformed(t, tooLong, 'signed by us')
  await malformed(t, 'a'.repeat(8193), 'one more')
  await malformed(t, 'a'.repeat(8192), 'as long as allowed, and no token')
})

/** The same at each run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

t.test('whatever is sent, the answer is 401 and never 500: a thousand mutations', async (t) => {
  const random = numbers(1)
  const pick = (count: number) => Math.floor(random() * count)
  const { header, payload } = decode(own.token)
  const values: unknown[] = [null, true, 0, -1, 1.5, 1e308, '', [], {}, [[]], ['x'], { toString: 1 }]
  const mutate = (): string => {
    const kind = pick(4)
    if (kind === 0) return own.token.slice(0, pick(own.token.length))
    if (kind === 1) {
      const at = pick(own.token.length)
      return own.token.slice(0, at) + ALPHABET[pick(64)] + own.token.slice(at + 1 + pick(3))
    }
    const part = kind === 2 ? { ...header } : { ...payload }
    const names = Object.keys(part)
    part[names[pick(names.length)] ?? ''] = values[pick(values.length)]
    return kind === 2 ? forge(part, payload, own.key) : forge(header, part, own.key)
  }
  const tokens = Array.from({ length: 1000 }, mutate).filter((token) => token !== own.token)
  const verdicts = await Promise.all(tokens.map((token) => verdict(es, token)))
  t.strictSame(
    verdicts.filter((reason) => reason === 'good' || !/^[a-z_]+$/.test(reason)),
    []
  )
  const answers = await Promise.all(
    tokens.slice(0, 200).map((token) => es.http('GET', '/auth/me', { headers: { authorization: `Bearer ${token}` } }))
  )
  t.strictSame([...new Set(answers.map(({ status }) => status))], [401])
})
