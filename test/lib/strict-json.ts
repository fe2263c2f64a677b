import t from 'tap'
import { type JsonFault, parseStrictJson, StrictJsonError } from '../../src/lib/strict-json.js'

function faultOf(text: string | Buffer): JsonFault | 'accepted' {
  try {
    parseStrictJson(Buffer.from(text as string))
    return 'accepted'
  } catch (error) {
    if (error instanceof StrictJsonError) return error.fault
    throw error
  }
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

t.test('what is JSON is parsed, and nothing in it is changed', async (t) => {
  const values: unknown[] = [
    {},
    { a: 1, b: { a: 2 }, c: [{ a: 3 }, { a: 4 }] },
    { 'a:b': 'c:d', 'e"f': '"g":' },
    { escaped: 'back\\slash \\" quote: :', emoji: '😀', text: 'é\u2028' },
    { '': 0, 1: 1, toString: 2, hasOwnProperty: 3 },
    [null, true, false, -0.5e10, 'x'],
    'only text'
  ]
  for (const value of values) {
    t.strictSame(parseStrictJson(Buffer.from(JSON.stringify(value))), value)
    t.strictSame(parseStrictJson(Buffer.from(JSON.stringify(value, null, 2))), value)
  }
  t.strictSame(parseStrictJson(Buffer.from('{"pair":"\\ud83d\\ude00"}')), { pair: '😀' })
})

t.test('bytes that are not UTF-8 are refused', async (t) => {
  t.equal(faultOf(Buffer.from([0x22, 0xff, 0x22])), 'invalid_utf8')
  t.equal(faultOf(Buffer.from([0x22, 0xc3, 0x22])), 'invalid_utf8', 'a truncated character')
  t.equal(faultOf(Buffer.from([0x22, 0xc0, 0xaf, 0x22])), 'invalid_utf8', 'an overlong slash')
  t.equal(faultOf(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), 'invalid_utf8', 'a surrogate in UTF-8')
  t.equal(faultOf(Buffer.from('{"a":1}', 'utf16le')), 'invalid_json', 'UTF-16')
})

t.test('what is not JSON is refused', async (t) => {
  for (const text of [
    '',
    ' ',
    '{',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
    '[1 2]',
    '{"a":1}{"b":2}',
    'NaN',
    '01',
    '{"a":1}//',
    '"\n"',
    '{"a":1}\0'
  ]) {
    t.equal(faultOf(text), 'invalid_json', JSON.stringify(text))
  }
  t.equal(faultOf('\ufeff{}'), 'invalid_json', 'a byte order mark')
})

t.test('a key twice in one object is refused, in whatever spelling', async (t) => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"b":{},"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"x":{"k":1,"k":2}}',
    '[{"k":1},{"k":1,"k":2}]',
    '{"1":0,"1":0}',
    '{"":1,"":2}',
    '{"a:":1,"a:":":"}',
    '{"\\"":1,"\\u0022":2}'
  ]) {
    t.equal(faultOf(text), 'duplicate_key', text)
  }
})

t.test('a key that names a prototype is refused, in whatever spelling', async (t) => {
  for (const text of [
    '{"__proto__":{}}',
    '{"a":{"constructor":1}}',
    '[{"prototype":1}]',
    '{"\\u005f_proto__":1}',
    '{"__proto__":1,"__proto__":2}'
  ]) {
    t.equal(faultOf(text), 'forbidden_key', text)
  }
})

t.test('32 levels are accepted and 33 are refused', async (t) => {
  t.equal(faultOf(nested(32)), 'accepted')
  t.equal(faultOf(nested(33)), 'too_deep')
  t.equal(faultOf(`${'{"a":'.repeat(32)}1${'}'.repeat(32)}`), 'accepted')
  t.equal(faultOf(`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`), 'too_deep')
  t.equal(faultOf(nested(8000)), 'too_deep')
})

t.test('NUL and half a surrogate pair are refused in values and in keys', async (t) => {
  for (const text of [
    '{"a":"\\u0000"}',
    '{"a\\u0000":1}',
    '{"a":"\\ud800"}',
    '{"a":["x","\\udfff"]}',
    '{"\\ud800":1}',
    '{"a":"\\ude00\\ud83d"}'
  ]) {
    t.equal(faultOf(text), 'forbidden_character', text)
  }
})

t.test('the path leads to the value at fault', async (t) => {
  try {
    parseStrictJson(Buffer.from('{"a":[{"b":"\\u0000"}]}'))
    t.fail('accepted')
  } catch (error) {
    t.strictSame((error as StrictJsonError).path, ['a', 0, 'b'])
  }
})

t.test('a number beyond the doubles is refused', async (t) => {
  t.equal(faultOf('{"a":1e999}'), 'number_out_of_range')
  t.equal(faultOf('{"a":-1e999}'), 'number_out_of_range')
  t.equal(faultOf('{"a":1e308}'), 'accepted')
})
