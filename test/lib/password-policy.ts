import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'
import { lengthFaults, type PasswordPolicy, passwordRules, policyFaults } from '../../src/lib/password-policy.js'

const list = readFileSync(join(packageRoot(), 'data/common-passwords.txt'), 'utf8').split('\n').filter(Boolean)
const common = new Set(list)

function faults(password: string, policy: PasswordPolicy = 'classic', words: string[] = []): string[] {
  return policyFaults(password, passwordRules(policy), common, words).map(({ code }) => code)
}

t.test('8 code points with an upper-case letter, a lower-case letter and a digit are enough', async (t) => {
  for (const password of ['Xq7kwvze', 'xq7kwvzE', 'Ärger9öß', 'Пароль٣ч', 'Xq7 kw z', 'Xq7😀😀😀😀😀', '  Xq7    ']) {
    t.strictSame(faults(password), [], password)
  }
})

t.test('length is counted in code points, not in UTF-16 units or bytes', async (t) => {
  t.strictSame(faults('Xq7😀😀😀😀'), ['too_short'])
  t.strictSame(faults('Xq7kwvz'), ['too_short'])
  t.strictSame(faults('Xq7ééé'), ['too_short'])
})

t.test('every fault is told at once, each with its bound', async (t) => {
  t.strictSame(faults(''), ['too_short', 'missing_upper', 'missing_lower', 'missing_digit'])
  t.strictSame(faults('xxxxxxxx'), ['missing_upper', 'missing_digit'])
  t.strictSame(faults('XQVKZWR1'), ['missing_lower'])
  t.strictSame(faults('漢字漢字漢字漢字'), ['missing_upper', 'missing_lower', 'missing_digit'])
  t.strictSame(faults('postern', 'classic', ['postern']), [
    ...['too_short', 'missing_upper', 'missing_digit', 'too_predictable']
  ])
  t.match(policyFaults('x', passwordRules('classic'), common, [])[0], { code: 'too_short', min: 8 })
  t.match(policyFaults('x', passwordRules('nist'), common, [])[0], { code: 'too_short', min: 15 })
})

t.test('nist asks for 15 code points of any kind, and for no composition', async (t) => {
  for (const password of ['violet tram lamp', '111 222 444 777', '漢字'.repeat(8), '😀'.repeat(15)]) {
    t.strictSame(faults(password, 'nist'), [], password)
  }
  t.strictSame(faults('Xq7kwvzeXq7kwv', 'nist'), ['too_short'])
  t.strictSame(faults('qwertyuiopasdfghjkl', 'nist'), ['too_common'])
  t.strictSame(faults('PasswordPassword', 'nist'), ['too_common'])
  t.strictSame(faults('adalovelace-mathematics', 'nist', ['adalovelace-mathematics']), ['too_predictable'])
})

t.test('64 characters of any script are accepted, and up to 1024 bytes', async (t) => {
  for (const password of [`Xq7${'漢'.repeat(61)}`, `Xq7${'😀'.repeat(61)}`, `Xq7${' '.repeat(61)}`]) {
    t.strictSame(faults(password), [])
  }
  t.strictSame(faults(`Xq7${'x'.repeat(1021)}`), [])
  t.strictSame(faults(`Xq7${'é'.repeat(510)}x`), [])
})

t.test('more than 1024 bytes as sent is too long, and nothing else is looked at', async (t) => {
  t.strictSame(lengthFaults('x'.repeat(1024)), [])
  t.match(lengthFaults('x'.repeat(1025)), [{ code: 'too_long', max: 1024 }])
  t.strictSame(faults('é'.repeat(513)), ['too_long'])
  t.strictSame(faults('\u0316\u0301'.repeat(4_000_000)), ['too_long'])
  t.strictSame(lengthFaults('ﷺ'.repeat(341)), [], 'NFKC may make it longer: what was sent counts')
})

t.test('the rules are applied to the NFKC form, which is what is hashed', async (t) => {
  t.strictSame(faults('Ｘｑ７ｋｗｖｚｅ'), [])
  t.strictSame(faults('Xq7kwve\u0301'), ['too_short'], 'seven letters, one with its accent apart')
  t.strictSame(faults('Ｐａｓｓｗｏｒｄ１'), ['too_common'])
})

t.test('the shipped list has 3,000 passwords and more that every other rule of each policy would pass', async (t) => {
  const classic = list.filter((entry) => {
    const typed = entry.replace(/[a-z]/, (letter) => letter.toUpperCase())
    const found = faults(typed).join()
    if (found !== 'too_common' && entry.length < 15) t.fail(`${typed}: ${found}`)
    return found === 'too_common'
  })
  t.ok(classic.length >= 15_000, `${classic.length} for classic`)
  const nist = list.filter((entry) => faults(entry, 'nist').join() === 'too_common')
  t.ok(nist.length >= 1_500, `${nist.length} for nist`)
  t.equal(common.size, list.length)
  t.strictSame(
    list.filter((entry) => entry !== entry.normalize('NFKC').toLowerCase().trim()),
    []
  )
})

t.test('common passwords are compared whole and without case', async (t) => {
  const known = ['Password1', 'PASSWORd1', 'pASSWORD123', 'Qwerty123', 'P@ssw0rd1', 'Welcome1', 'Abcd1234', '1Q2w3e4r']
  for (const password of [...known, 'Summer2026!', 'Trustno1', 'Iloveyou1', 'Letmein1', 'Admin123', 'Changeme1']) {
    t.strictSame(faults(password), ['too_common'], password)
  }
  for (const password of ['Password1-and-more', 'xPassword1', 'Correct1horse']) t.strictSame(faults(password), [])
})

t.test('a word of 4 characters or more with up to 4 around it is no password, in any case', async (t) => {
  const words = ['ada.lovelace', 'bücher.example', 'kim']
  for (const password of [
    'Ada.Lovelace1',
    '1Ada.Lovelace',
    '12ADA.LOVELACe34',
    'ada.Lovelace2026',
    'Bücher.example1'
  ]) {
    t.strictSame(faults(password, 'classic', words), ['too_predictable'], password)
  }
  for (const password of ['Ada.Lovelace12345', '123ada.Lovelace45', 'Ada-lovelace1', 'Kim-7kwv']) {
    t.strictSame(faults(password, 'classic', words), [], password)
  }
  t.strictSame(faults('Kimm1234', 'classic', ['kimm']), ['too_predictable'])
  t.strictSame(faults('Kim1234', 'classic', ['kim']), ['too_short'], 'a shorter word is in too many passwords')
})

t.test('a lone surrogate is judged like any other character', async (t) => {
  t.strictSame(faults('Xq7kwvz\ud800'), [])
  t.strictSame(faults('\udc00'), ['too_short', 'missing_upper', 'missing_lower', 'missing_digit'])
})
