import t, { type Test } from 'tap'
import { canonicalEmail } from '../../src/lib/email.js'

const accepted = (t: Test, input: string, email: string) => t.strictSame(canonicalEmail(input), { email }, input)
const refused = (t: Test, input: string, fault: 'invalid_email' | 'too_long' = 'invalid_email') =>
  t.strictSame(canonicalEmail(input), { fault }, JSON.stringify(input).slice(0, 80))

t.test('an email is lower-cased and otherwise kept, plus-tag and dots included', async (t) => {
  accepted(t, 'ada@example.com', 'ada@example.com')
  accepted(t, 'Ada.Lovelace+News@Example.COM', 'ada.lovelace+news@example.com')
  accepted(t, "!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-@example.com")
  accepted(t, 'a@b.c', 'a@b.c')
  accepted(t, 'a@1.2.3.com', 'a@1.2.3.com')
  accepted(t, 'a@r3---sn.example.com', 'a@r3---sn.example.com')
  accepted(t, 'a%2e@example.com', 'a%2e@example.com')
})

t.test('an IDN domain becomes punycode by UTS-46, however it is written', async (t) => {
  for (const domain of ['bücher.example', 'BÜCHER.example', 'bu\u0308cher.example', 'xn--bcher-kva.example']) {
    accepted(t, `ada@${domain}`, 'ada@xn--bcher-kva.example')
  }
  accepted(t, 'ada@XN--BCHER-KVA.EXAMPLE', 'ada@xn--bcher-kva.example')
  accepted(t, 'ada@faß.de', 'ada@xn--fa-hia.de')
  accepted(t, 'ada@例え。テスト', 'ada@xn--r8jz45g.xn--zckzah')
})

t.test('a look-alike in the local part, or for the @, is refused and never folded', async (t) => {
  for (const input of ['аda@example.com', '\u212aim@example.com', 'ａda@example.com', 'ada\u200b@example.com']) {
    refused(t, input)
  }
  refused(t, 'ada＠example.com')
  refused(t, 'ada﹫example.com')
  refused(t, 'admın@example.com')
})

t.test('only a dot-atom is a local part', async (t) => {
  for (const local of [
    '',
    '.a',
    'a.',
    'a..b',
    '.',
    'a b',
    '"a"',
    'a"b',
    'a,b',
    'a(b)',
    'a\\b',
    'a;b',
    'a:b',
    '<a>',
    'a@b'
  ]) {
    refused(t, `${local}@example.com`)
  }
  for (const code of [0, 9, 10, 13, 31, 32, 127]) refused(t, `a${String.fromCharCode(code)}b@example.com`)
})

t.test('nothing is trimmed', async (t) => {
  for (const space of [' ', '\t', '\n', '\r\n', '\u00a0', '\u3000', '\0']) {
    refused(t, `${space}ada@example.com`)
    refused(t, `ada@example.com${space}`)
    refused(t, `ada@${space}example.com`)
    refused(t, `ada${space}@example.com`)
  }
})

t.test('a domain is a name with a dot, of letters, digits and inner hyphens', async (t) => {
  for (const domain of ['', 'localhost', '.', '.com', 'com.', 'example.com.', 'example..com', '-a.com', 'a-.com']) {
    refused(t, `ada@${domain}`)
  }
  for (const domain of ['a_b.com', 'a!b.com', 'example.com。', `${'a'.repeat(64)}.com`, 'exa\ud800mple.com']) {
    refused(t, `ada@${domain}`)
  }
  accepted(t, `ada@${'a'.repeat(63)}.com`, `ada@${'a'.repeat(63)}.com`)
})

t.test('what a URL parser would read differently is no domain', async (t) => {
  for (const domain of ['example.com:80', 'example.com/x', 'example.com?x', 'example.com#x', 'example%2ecom']) {
    refused(t, `ada@${domain}`)
  }
  for (const domain of ['exam%70le.com', 'evil.com\\.example.com', 'user:pw.example.com', '℀.com', 'exam\tple.com']) {
    refused(t, `ada@${domain}`)
  }
  for (const domain of ['a％2e.com', 'a／b.com', 'a＃.com', 'a：80.com', 'a？.com', 'evil＠example.com']) {
    refused(t, `ada@${domain}`)
  }
})

t.test('an IP address is no domain, in any spelling', async (t) => {
  for (const domain of [
    '127.0.0.1',
    '[127.0.0.1]',
    '[::1]',
    '1.1',
    '0x7f.1',
    'a.0x1',
    '0177.1',
    '0x7f.0x1',
    'a.0x',
    '2130706433',
    '[IPv6:::1]',
    '１２７.0.0.1',
    'a.1'
  ]) {
    refused(t, `ada@${domain}`)
  }
})

t.test('a punycode label that is invalid, or a second spelling of another domain, is refused', async (t) => {
  const invalid = ['xn--a', 'xn--', 'xn--99999999', 'xn--a-ubb', 'xn--zva', 'xn--ab-m1t', 'xn--a-zhc', 'xn--xn--a-']
  const ascii = ['xn--a-', 'xn--example-', 'xn--1-', 'xn--a--']
  const unmapped = {
    Ü: 'xn--wca',
    'u\u0308': 'xn--u-ccb',
    ｅ: 'xn--qi7c',
    İ: 'xn--bfa',
    '\u00ad': 'xn--kba',
    ﬁ: 'xn--jm6c'
  }
  for (const label of [...invalid, ...ascii, ...Object.values(unmapped)]) {
    for (const domain of [`${label}.com`, `${label.toUpperCase()}.com`, `a.${label}`, `xn--bcher-kva.${label}.com`]) {
      refused(t, `ada@${domain}`)
    }
  }
  for (const label of ['xn--tda', 'xn--n3h', 'xn--hex', 'xn--4db', 'xn--3xa', 'xn--11b2ezcw70k']) {
    accepted(t, `ada@${label}.com`, `ada@${label}.com`)
  }
})

t.test('at most 64 characters before the @ and 254 bytes in all, counted on the canonical form', async (t) => {
  const domain = (length: number) => {
    const labels = `${'a'.repeat(50)}.`.repeat(9)
    return `${labels.slice(0, length - 5)}a.com`
  }
  accepted(t, `${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`)
  refused(t, `${'a'.repeat(65)}@example.com`)
  accepted(t, `ada@${domain(250)}`, `ada@${domain(250)}`)
  refused(t, `ada@${domain(251)}`, 'too_long')
  refused(t, `ada@${`${'ü'.repeat(20)}.`.repeat(11)}com`, 'too_long')
  refused(t, `${'a'.repeat(16_000)}@example.com`, 'too_long')
  refused(t, `ada@${'ü'.repeat(5000)}.com`, 'too_long')
})

t.test('whatever comes in, what comes out is canonical already: ASCII, lower case, a fixed point', async (t) => {
  const pieces = [
    ...[
      'a',
      'Z',
      '9',
      '-',
      '.',
      '_',
      '+',
      '@',
      '%',
      '/',
      ' ',
      '\0',
      'xn--',
      'ß',
      'ü',
      'u\u0308',
      'İ',
      'ı',
      'ſ',
      '\u212a'
    ],
    ...[
      '。',
      '．',
      '＠',
      '\u00ad',
      '\u200d',
      '\u200c',
      'א',
      'ا',
      '٣',
      '漢',
      '😀',
      '\ud800',
      '≠',
      '̇',
      'ﬁ',
      'ﷺ',
      'ς',
      '１'
    ]
  ]
  let seed = 20_260_114
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const text = (most: number) => Array.from({ length: 1 + random(most) }, () => pieces[random(pieces.length)]).join('')
  let accepted = 0
  for (let round = 0; round < 20_000; round += 1) {
    const input = `a@${text(6)}.${['com', 'рф', text(3)][random(3)]}`
    const { email } = canonicalEmail(input)
    if (email === undefined) continue
    accepted += 1
    const isCanonical = /^[!-?A-~]+@[a-z0-9.-]+\.[a-z0-9-]+$/.test(email) && email === email.toLowerCase()
    if (!isCanonical || canonicalEmail(email).email !== email) t.fail('not canonical', { input, email })
  }
  t.ok(accepted > 1000, `${accepted} accepted`)
})
