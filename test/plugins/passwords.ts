import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'
import passwordsPlugin from '../../src/plugins/passwords/index.js'

const defaults = {
  bcryptCost: 4,
  passwordPolicy: 'classic' as 'classic' | 'nist',
  hashConcurrency: 2,
  hashQueueSeconds: 60,
  environment: 'test'
}

async function createPasswords(options: Partial<typeof defaults> = {}) {
  const app = Fastify()
  await app.register(passwordsPlugin, { ...defaults, ...options })
  return app.passwords
}

type Vector = [unit: string, times: number, hash: string]
const vectors: { prehashed: Vector[]; plain: Vector[] } = JSON.parse(
  readFileSync(join(packageRoot(), 'test/fixtures/passlib.json'), 'utf8')
)

const password = 'Correct1horse'
const plain = /^\$2b\$04\$[./A-Za-z0-9]{53}$/
const prehashed = /^\$bcrypt-sha256\$v=2,t=2b,r=4\$[./A-Za-z0-9]{21}[.Oeu]\$[./A-Za-z0-9]{31}$/

t.test('a bcrypt cost below 10 is refused at boot, except under test', async (t) => {
  for (const environment of ['development', 'production', '']) {
    await t.rejects(createPasswords({ bcryptCost: 9, environment }), /cost/)
  }
  t.ok(await createPasswords({ bcryptCost: 10, environment: 'production' }))
})

t.test('the same password is never hashed to the same text, and each hash verifies', async (t) => {
  const passwords = await createPasswords()
  const hashes = await Promise.all(Array.from({ length: 8 }, () => passwords.hash(password)))
  t.equal(new Set(hashes).size, 8)
  for (const hash of hashes) {
    t.match(hash, plain)
    t.ok(await passwords.verify(password, hash))
    t.notOk(await passwords.verify(password.toLowerCase(), hash))
    t.notOk(await passwords.verify(` ${password}`, hash), 'nothing is trimmed')
  }
})

t.test('every byte counts: at 72, beyond it, at 255 and at the last of 1024', async (t) => {
  const passwords = await createPasswords()
  for (const length of [1, 71, 72, 73, 128, 254, 255, 256, 257, 1024]) {
    const hash = await passwords.hash('x'.repeat(length))
    t.match(hash, length > 72 ? prehashed : plain)
    t.ok(await passwords.verify('x'.repeat(length), hash), `${length}`)
    t.notOk(await passwords.verify(`${'x'.repeat(length - 1)}y`, hash), `${length}, the last byte`)
    t.notOk(await passwords.verify('x'.repeat(length - 1), hash), `${length}, one less`)
    if (length < 1024) t.notOk(await passwords.verify('x'.repeat(length + 1), hash), `${length}, one more`)
  }
})

t.test('nothing ends at a NUL, and no password repeats itself into another', async (t) => {
  const passwords = await createPasswords()
  const hash = await passwords.hash('ab\0cd')
  t.match(hash, prehashed)
  t.ok(await passwords.verify('ab\0cd', hash))
  for (const other of ['ab', 'ab\0', 'ab\0ce', 'ab\0cd\0']) t.notOk(await passwords.verify(other, hash), other)
  const short = await passwords.hash('ab')
  for (const other of ['ab\0', 'ab\0ab', 'ab\0ab\0ab']) t.notOk(await passwords.verify(other, short), other)
})

t.test('a password is the same on every keyboard: NFKC when it is set and when it is checked', async (t) => {
  const passwords = await createPasswords()
  const spellings = ['Zoe\u0301-ﬁsh-1', 'Zo\u00e9-fish-1', 'Ｚｏé－ｆｉｓｈ－１']
  for (const set of spellings) {
    const hash = await passwords.hash(set)
    for (const typed of spellings) t.ok(await passwords.verify(typed, hash))
  }
  const grown = 'ﷺ'.repeat(341)
  t.ok(await passwords.verify(grown, await passwords.hash(grown)), 'and one that NFKC makes eleven times as long')
})

t.test("other systems' bcrypt hashes are good here: $2a$, $2b$, $2y$ and passlib's bcrypt-sha256", async (t) => {
  const passwords = await createPasswords()
  for (const [unit, times, hash] of [...vectors.plain, ...vectors.prehashed]) {
    t.ok(await passwords.verify(unit.repeat(times), hash), hash)
    t.notOk(await passwords.verify(`${unit.repeat(times).slice(1)}?`, hash))
  }
})

t.test('a salt with bits beyond its last byte, as some systems wrote them, is read as they read it', async (t) => {
  const passwords = await createPasswords()
  const hash = await passwords.hash(password)
  const beside = { '.': '/', O: 'P', e: 'f', u: 'v' }[hash.charAt(28)]
  t.ok(await passwords.verify(password, `${hash.slice(0, 28)}${beside}${hash.slice(29)}`))
})

t.test('a plain hash from a system that cut at 72 bytes does not let a longer password in', async (t) => {
  const passwords = await createPasswords()
  const hash = await passwords.hash('x'.repeat(72))
  t.notOk(await passwords.verify(`${'x'.repeat(72)}anything`, hash))
})

t.test('a hash that cannot be read is false, never an exception and never true', async (t) => {
  const passwords = await createPasswords()
  const good = await passwords.hash(password)
  const bad = ['', 'x', password, good.slice(0, -1), `${good}x`, good.replace('$2b', '$2x'), good.replace('$04', '$31')]
  for (const hash of [
    ...bad,
    good.replace('$04', '$00'),
    '$2b$04$',
    '$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA',
    '\0'
  ]) {
    t.equal(await passwords.verify(password, hash), false, hash)
  }
  t.equal(await passwords.verify('', undefined), false)
})

t.test('every refusal costs the same rounds, whatever is stored and however long the password is', async (t) => {
  const weaker = await createPasswords({ bcryptCost: 4 })
  const passwords = await createPasswords({ bcryptCost: 7 })
  const long = `${password}${'x'.repeat(80)}`
  const stored = {
    none: undefined,
    'of the same cost': await passwords.hash(password),
    'of a lower cost': await weaker.hash(password),
    'of a long password': await passwords.hash(long),
    'of a long password, of a lower cost': await weaker.hash(long),
    unreadable: '$2b$07$nothing',
    empty: '',
    'of a cost beyond reason': (await passwords.hash(password)).replace('$07', '$31')
  }
  for (const [name, hash] of Object.entries(stored)) {
    for (const typed of ['Wrong1horse', `${long}y`, '', 'x\0y', password, long]) {
      const before = passwords.stats().rounds
      await passwords.verify(typed, hash)
      t.equal(passwords.stats().rounds - before, 2 ** 7, `${name}, ${typed.length} characters`)
    }
  }
})

t.test('a hash that was made at a higher cost is good, and is checked at its own price', async (t) => {
  const hash = await (await createPasswords({ bcryptCost: 6 })).hash(password)
  const passwords = await createPasswords({ bcryptCost: 4 })
  t.ok(await passwords.verify(password, hash))
  t.notOk(await passwords.verify('Wrong1horse', hash))
  t.equal(passwords.stats().rounds, 2 * 2 ** 6)
})

t.test('at equal cost a check is one hash, for a known and an unknown account alike', async (t) => {
  const passwords = await createPasswords()
  const hash = await passwords.hash(password)
  t.equal(passwords.stats().hashes, 1)
  await passwords.verify(password, hash)
  await passwords.verify('Wrong1horse', hash)
  await passwords.verify(password, undefined)
  t.equal(passwords.stats().hashes, 4)
})

t.test('more than 1024 bytes is refused without a hash, whether or not there is an account', async (t) => {
  const passwords = await createPasswords()
  const long = 'é'.repeat(513)
  const refusal = { code: 'invalid_request', options: { errors: [{ field: 'password', code: 'too_long', max: 1024 }] } }
  await t.rejects(passwords.hash(long), refusal)
  await t.rejects(passwords.verify(long, undefined), refusal)
  await t.rejects(passwords.verify(long, '$2b$04$'), refusal)
  t.equal(passwords.stats().hashes, 0)
})

t.test('a hash of a lower cost is to be replaced, one of the same or a higher cost is not', async (t) => {
  const [four, five, six] = await Promise.all([4, 5, 6].map((bcryptCost) => createPasswords({ bcryptCost })))
  for (const text of [password, 'x'.repeat(100)]) {
    const hash = await five?.hash(text)
    t.ok(six?.needsRehash(hash ?? ''))
    t.notOk(five?.needsRehash(hash ?? ''))
    t.notOk(four?.needsRehash(hash ?? ''))
  }
})

t.test('beyond the allowed waiting time, hashing is refused at once, before any work', async (t) => {
  const passwords = await createPasswords({ bcryptCost: 8, hashConcurrency: 1, hashQueueSeconds: 0.001 })
  const outcomes = await Promise.allSettled([
    passwords.hash(password),
    passwords.verify(password, undefined),
    passwords.hash(password),
    passwords.verify(password, undefined)
  ])
  t.match(outcomes, [
    { status: 'fulfilled' },
    { status: 'fulfilled' },
    ...Array(2).fill({ reason: { code: 'overloaded', status: 503, options: { retryAfterSeconds: 1 } } })
  ])
  t.match(passwords.stats(), { hashes: 2, running: 0, waiting: 0 })
  t.match(await passwords.hash(password), /^\$2b\$08\$/, 'and taken again when there is room')
})

t.test('nobody is hashed for who has left', async (t) => {
  const passwords = await createPasswords({ hashConcurrency: 1 })
  const gone = new AbortController()
  const outcomes = Promise.allSettled([
    passwords.hash(password),
    passwords.hash(password, gone.signal),
    passwords.verify(password, undefined, gone.signal)
  ])
  gone.abort()
  t.match(await outcomes, [{ status: 'fulfilled' }, ...Array(2).fill({ reason: { code: 'request_timeout' } })])
  t.equal(passwords.stats().hashes, 1)
})

t.test('no more than the allowed number of hashes is ever handed to the thread pool', async (t) => {
  const passwords = await createPasswords({ hashConcurrency: 3 })
  const all = Promise.all(Array.from({ length: 60 }, () => passwords.verify(password, undefined)))
  const seen = new Set<number>()
  const watch = setInterval(() => seen.add(passwords.stats().running), 1)
  t.match(passwords.stats(), { running: 3, waiting: 57 })
  await all
  clearInterval(watch)
  t.ok(Math.max(...seen) <= 3)
  t.equal(passwords.stats().hashes, 60)
})

t.test('the check knows the email, its domain and the name of the service', async (t) => {
  const passwords = await createPasswords()
  const codes = (candidate: string, email?: string) => passwords.check(candidate, email).map(({ code }) => code)
  t.strictSame(passwords.check('Ada.Lovelace1', 'ada.lovelace@example.com'), [
    {
      field: 'password',
      code: 'too_predictable',
      message: 'Must be more than the email or the name of this service with a few characters added.'
    }
  ])
  t.strictSame(codes('Ada.Lovelace1', 'ada@example.com'), [])
  t.strictSame(codes('Ada.Lovelace1'), [])
  t.strictSame(codes('Example.com1', 'ada@example.com'), ['too_predictable'])
  t.strictSame(codes('Bücher.example1', 'ada@xn--bcher-kva.example'), ['too_predictable'])
  t.strictSame(codes('Postern2026'), ['too_predictable'])
  t.strictSame(codes('The-Postern-2026'), [])
})

t.test('the rules for a form are those of the policy', async (t) => {
  t.strictSame((await createPasswords()).rules(), {
    policy: 'classic',
    min_length: 8,
    max_bytes: 1024,
    require_upper: true,
    require_lower: true,
    require_digit: true
  })
  t.match((await createPasswords({ passwordPolicy: 'nist' })).rules(), {
    policy: 'nist',
    min_length: 15,
    require_upper: false
  })
})
