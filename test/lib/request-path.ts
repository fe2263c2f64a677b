import t from 'tap'
import { readPath } from '../../src/lib/request-path.js'

const GOOD: [target: string, segments: string[]][] = [
  ['/', []],
  ['/api', ['api']],
  ['/api/', ['api']],
  ['/api/ada/orders', ['api', 'ada', 'orders']],
  ['/api/ada?next=//x/../%2f;%00', ['api', 'ada']],
  ['/api?', ['api']],
  ['/?', []],
  ['/%61pi/%41da', ['api', 'Ada']],
  ['/a%20b/100%25', ['a b', '100%']],
  ['/c%23/what%3F', ['c#', 'what?']],
  ['/%25zz', ['%zz']],
  ['/.well-known/x', ['.well-known', 'x']],
  ['/a./..b/...', ['a.', '..b', '...']],
  ["/a:b@c!$&'()*+,=~_-", ["a:b@c!$&'()*+,=~_-"]],
  ['/a[0]|{b}', ['a[0]|{b}']]
]

for (const [target, segments] of GOOD) {
  t.test(`${target} is a path, and read once`, async (t) => {
    t.strictSame(readPath(target), { segments })
  })
}

const ODD: Record<string, string[]> = {
  'does not begin with a slash': [
    '',
    '?',
    '?/api',
    'api',
    '*',
    '%2fapi',
    'http://a/api',
    '\\api',
    ';/api',
    './api',
    '\0/api'
  ],
  'has a character in it that no URI has': [
    '/a b',
    '/a, /b',
    '/a\tb',
    '/a\0',
    '/a\x7f',
    '/a\x80',
    '/é',
    '/a#b',
    '/\u212api/x',
    '/\uff0fapi'
  ],
  'has an encoded slash in it': ['/api%2fada', '/api%2Fada', '/a/..%2f..%2fb', '/%2F'],
  'is no percent-encoded UTF-8': [
    '/%',
    '/%2',
    '/%zz',
    '/a%',
    '/%ff',
    '/%e9',
    '/%c0%af',
    '/%c0%ae%c0%ae/',
    '/%e0%80%af',
    '/%ed%a0%80',
    '/%f8%80%80%80%af',
    '/%u002f'
  ],
  'has a control or non-ASCII character in it': [
    '/%00',
    '/a%00.html',
    '/%0d%0aX-User-Id:%20x',
    '/%7f',
    '/%c2%85',
    '/%c3%a9',
    '/%ef%bc%8f'
  ],
  'is encoded twice': ['/%252f', '/%252e%252e/', '/%2541', '/a%25%32%66', '/%25%35%63'],
  'has a semicolon or a backslash in it': ['/a;b', '/a;', '/;x=1/b', '/a%3bb', '/a\\b', '/a%5cb', '/..\\b', '/..;/b'],
  'has an empty segment in it': ['//', '//api', '/api//ada', '/api//', '/a///b'],
  'has a dot segment in it': [
    '/.',
    '/..',
    '/./api',
    '/../api',
    '/a/./b',
    '/a/../b',
    '/a/..',
    '/a/.',
    '/%2e',
    '/a/%2e%2e/b',
    '/a/.%2E'
  ]
}

for (const [fault, targets] of Object.entries(ODD)) {
  t.test(`a path that ${fault} is odd`, async (t) => {
    for (const target of targets) t.strictSame(readPath(target), { fault }, JSON.stringify(target))
  })
}

t.test(
  'whatever character stands in a path, raw or encoded, it is refused or it is plain ASCII once read',
  async (t) => {
    for (let code = 0; code < 0x250; code += 1) {
      const character = String.fromCharCode(code)
      for (const target of [`/a${character}b/c`, `/a${encodeURIComponent(character)}b/c`]) {
        const { segments = [] } = readPath(target)
        t.ok(
          segments.every((segment) => /^[\x20-\x7e]*$/.test(segment) && !/[/\\;]/.test(segment)),
          JSON.stringify(target)
        )
      }
    }
  }
)
