import { createHmac, hkdfSync } from 'node:crypto'
import t from 'tap'
import { createRefreshTokens } from '../../src/lib/refresh-token.js'

const secret = Buffer.from('a secret of the tests, 32 bytes or more')
const other = Buffer.from('another secret of the tests, 32 bytes or more')
const sessionId = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'
const tokens = createRefreshTokens({ secret })

/** Made by the description of the format alone. */
function handmade(key: Buffer, { version = 1, counter = 7, length = 57 }): string {
  const token = Buffer.alloc(length)
  token[0] = version
  Buffer.from(sessionId.replaceAll('-', ''), 'hex').copy(token, 1)
  token.writeBigUInt64BE(BigInt(counter), 17)
  const derived = Buffer.from(hkdfSync('sha256', key, '', 'postern refresh token v1', 32))
  createHmac('sha256', derived).update(token.subarray(0, 25)).digest().copy(token, 25)
  return `prt_${token.toString('base64url')}`
}

t.test(
  'a token is prt_ and version, session id, counter and HMAC-SHA-256, in base64url without spare bits',
  async (t) => {
    const token = tokens.issue({ sessionId, counter: 7 })
    t.equal(token, handmade(secret, {}))
    t.match(token, /^prt_[A-Za-z0-9_-]{76}$/)
  }
)

t.test('a token says which session it is of and which one of its tokens', async (t) => {
  for (const counter of [0, 1, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
    t.strictSame(tokens.read(tokens.issue({ sessionId, counter })), { sessionId, counter })
  }
})

t.test('a token altered by one bit anywhere is refused', async (t) => {
  const token = Buffer.from(tokens.issue({ sessionId, counter: 3 }))
  for (let bit = 0; bit < token.length * 8; bit += 1) {
    const altered = Buffer.from(token)
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7))
    t.type(tokens.read(altered.toString('latin1')), 'string', `bit ${bit}`)
  }
})

t.test('what does not have the form of a token is malformed', async (t) => {
  const token = tokens.issue({ sessionId, counter: 3 })
  const bare = token.slice(4)
  for (const text of [
    '',
    'prt_',
    bare,
    `PRT_${bare}`,
    `prt_${bare}=`,
    `prt_${bare}A`,
    `prt_${bare}AAAA`,
    ` ${token}`,
    `${token}\n`,
    token.slice(0, -1),
    `prt_${Buffer.from(bare, 'base64url').toString('base64')}=`,
    `prt_+${bare.slice(1)}`,
    handmade(secret, { version: 0 }),
    handmade(secret, { version: 2 }),
    handmade(secret, { length: 58 }),
    `prt_${'A'.repeat(16_000)}`
  ]) {
    t.equal(tokens.read(text), 'malformed', text.slice(0, 90))
  }
})

t.test('a token made under another secret is forged', async (t) => {
  t.equal(tokens.read(handmade(other, {})), 'forged')
  t.equal(tokens.read(createRefreshTokens({ secret: other }).issue({ sessionId, counter: 7 })), 'forged')
})

t.test('tokens of the previous secret are good until it is dropped', async (t) => {
  const before = createRefreshTokens({ secret })
  const announced = createRefreshTokens({ secret, previous: other })
  const swapped = createRefreshTokens({ secret: other, previous: secret })
  const after = createRefreshTokens({ secret: other })
  const content = { sessionId, counter: 1 }
  t.strictSame(swapped.read(before.issue(content)), content)
  t.strictSame(announced.read(swapped.issue(content)), content)
  t.strictSame(after.read(swapped.issue(content)), content)
  t.equal(after.read(before.issue(content)), 'forged')
})

t.test('instances on both sides of a change of the secret make the same successor, byte for byte', async (t) => {
  const announced = createRefreshTokens({ secret, previous: other })
  const swapped = createRefreshTokens({ secret: other, previous: secret })
  const content = { sessionId, counter: 2 }
  t.equal(swapped.issue(content, announced.keyId), announced.issue(content))
  t.equal(announced.issue(content, swapped.keyId), swapped.issue(content))
  t.not(announced.issue(content), swapped.issue(content))
})

t.test('a key that is not known here falls back to the current one', async (t) => {
  const content = { sessionId, counter: 2 }
  t.equal(tokens.issue(content, createRefreshTokens({ secret: other }).keyId), tokens.issue(content))
})
