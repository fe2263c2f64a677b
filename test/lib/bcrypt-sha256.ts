import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  bcryptDigest,
  estimateMs,
  formatHash,
  needsPrehash,
  newSalt,
  parseHash,
  prehash
} from '../../src/lib/bcrypt-sha256.js'
import { packageRoot } from '../../src/lib/package-root.js'

type Vector = [unit: string, times: number, hash: string]
const vectors: { prehashed: Vector[]; plain: Vector[] } = JSON.parse(
  readFileSync(join(packageRoot(), 'test/fixtures/passlib.json'), 'utf8')
)

t.test('long passwords are hashed as passlib publishes it, byte for byte', async (t) => {
  for (const [unit, times, hash] of vectors.prehashed) {
    const parsed = parseHash(hash)
    if (parsed === undefined) throw new Error(hash)
    const input = prehash(Buffer.from(unit.repeat(times)), parsed.salt)
    t.equal(formatHash({ ...parsed, digest: await bcryptDigest(input, parsed.cost, parsed.salt) }), hash)
  }
})

t.test('short ones are plain bcrypt, whatever the prefix of the hash that is read', async (t) => {
  for (const [unit, times, hash] of vectors.plain) {
    const parsed = parseHash(hash)
    if (parsed === undefined) throw new Error(hash)
    const digest = await bcryptDigest(Buffer.from(unit.repeat(times)), parsed.cost, parsed.salt)
    t.equal(formatHash({ ...parsed, digest }), hash.replace(/^\$2[aby]/, '$2b'))
  }
})

t.test('plain bcrypt is for up to 72 bytes without NUL', async (t) => {
  for (const plain of ['', 'x'.repeat(72), 'é'.repeat(36)]) t.notOk(needsPrehash(Buffer.from(plain)))
  for (const long of ['x'.repeat(73), 'é'.repeat(37), '\0', 'Correct1\0horse']) t.ok(needsPrehash(Buffer.from(long)))
})

t.test('a hash that cannot be verified is not read', async (t) => {
  const good = vectors.plain[0]?.[2] ?? ''
  const long = vectors.prehashed[0]?.[2] ?? ''
  t.ok(parseHash(good))
  t.ok(parseHash(long))
  const bad = [
    ...['', 'x', '$2b$', good.slice(0, -1), `${good}a`, ` ${good}`, `${good}\n`, good.replace('$2a', '$2x')],
    ...[
      good.replace('$04$', '$03$'),
      good.replace('$04$', '$4$'),
      good.replace('$04$', '$17$'),
      good.replace('$04$', '$31$')
    ],
    ...[`${good.slice(0, -1)}=`, `${good.slice(0, -1)}+`, '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA'],
    ...[long.replace('v=2', 'v=1'), long.replace('2b', '2a'), long.replace('r=4', 'r=04'), long.replace('r=4', 'r=99')],
    ...[long.slice(0, -1), `${long}a`, long.replace('u$', 'v$'), '$bcrypt-sha256$2a,4$n79VH.0Q2TMWmt3Oqt9uku$abc']
  ]
  for (const hash of bad) t.equal(parseHash(hash), undefined, hash)
})

t.test('salts are 16 random bytes in the one canonical spelling', async (t) => {
  const salts = new Set(Array.from({ length: 500 }, () => newSalt()))
  t.equal(salts.size, 500)
  for (const salt of salts) if (!/^[./A-Za-z0-9]{21}[.Oeu]$/.test(salt)) t.fail(salt)
  t.equal(new Set([...salts].map((salt) => salt.at(-1))).size, 4)
})

t.test('each step of cost is expected to take twice as long', async (t) => {
  t.ok(estimateMs(4) > 0)
  t.ok(estimateMs(14) > 64 * estimateMs(4))
})
