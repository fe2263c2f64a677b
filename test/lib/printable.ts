import t from 'tap'
import { printable } from '../../src/lib/printable.js'

t.test('text without anything special is kept as it is, backslashes and other scripts included', async (t) => {
  for (const text of ['', 'Mozilla/5.0 (X11; Linux x86_64)', 'C:\\agent', 'Zoë 日本 🦊', 'Агент']) {
    t.equal(printable(text), text)
  }
})

t.test('control characters are escaped: C0, DEL, C1, and so every ANSI sequence', async (t) => {
  t.equal(printable('a\tb\r\nc\0'), 'a\\u0009b\\u000d\\u000ac\\u0000')
  t.equal(printable('\u001b[31mred'), '\\u001b[31mred')
  t.equal(printable('\u009b31mred\u007f'), '\\u009b31mred\\u007f')
  for (let unit = 0; unit < 0xa0; unit += 1) {
    if (unit >= 0x20 && unit < 0x7f) continue
    t.match(printable(String.fromCharCode(unit)), /^\\u00[0-9a-f]{2}$/)
  }
})

t.test('what turns the direction of text, breaks a line or hides is escaped', async (t) => {
  t.equal(printable('\u202egnp.exe\u2066'), '\\u202egnp.exe\\u2066')
  t.equal(printable('a\u2028b\u2029c'), 'a\\u2028b\\u2029c')
  t.equal(printable('\u200b\ufeff\u00ad'), '\\u200b\\ufeff\\u00ad')
  t.equal(printable('\u{e0041}'), '\\udb40\\udc41')
})

t.test('a surrogate without its partner is escaped, so the result is valid Unicode', async (t) => {
  t.equal(printable('\ud83d!'), '\\ud83d!')
  t.equal(printable('\udc00\ud83d\ude00'), '\\udc00😀')
})

t.test('at most 512 units are left, with no character and no escape cut in two', async (t) => {
  t.equal(printable('a'.repeat(16_384)), 'a'.repeat(512))
  t.equal(printable(`${'a'.repeat(511)}😀`), 'a'.repeat(511))
  t.equal(printable(`${'a'.repeat(510)}😀b`), `${'a'.repeat(510)}😀`)
  t.equal(printable(`${'a'.repeat(510)}\0`), 'a'.repeat(510))
  t.equal(printable('\0'.repeat(600)), '\\u0000'.repeat(85))
  t.equal(printable('abcdef', 3), 'abc')
})
