import t from 'tap'
import { compileOwnerRule, type OwnerRule, ownerSegment } from '../../src/lib/owner-rule.js'

function owner(rule: string, path: string): string | undefined {
  const { rule: compiled } = compileOwnerRule(rule)
  return ownerSegment(compiled as OwnerRule, path.split('/').slice(1))
}

const MATCHES: [rule: string, path: string, owner: string | undefined][] = [
  ['/api/:user_id/*', '/api/ada', 'ada'],
  ['/api/:user_id/*', '/api/ada/orders', 'ada'],
  ['/api/:user_id/*', '/api/ada/orders/7/lines', 'ada'],
  ['/api/:user_id/*', '/API/Ada/orders', 'Ada'],
  ['/Api/:user_id/*', '/api/ada', 'ada'],
  ['/api/:user_id/*', '/api', undefined],
  ['/api/:user_id/*', '/apis/ada', undefined],
  ['/api/:user_id/*', '/v1/api/ada', undefined],
  ['/users/:user_id', '/users/ada', 'ada'],
  ['/users/:user_id', '/users/ada/orders', undefined],
  ['/users/:user_id', '/users', undefined],
  ['/users/:user_id/profile', '/users/ada/profile', 'ada'],
  ['/users/:user_id/profile', '/users/ada/Profile', 'ada'],
  ['/users/:user_id/profile', '/users/ada/other', undefined],
  ['/v1/of/:user_id/*', '/v1/of/ada/x', 'ada'],
  ['/:user_id/*', '/ada', 'ada'],
  ['/:user_id', '/ada', 'ada'],
  ["/a.b_c~d!e$f&g'h(i)j+k=l@m-n:o/:user_id", "/A.B_c~d!e$f&g'h(i)j+k=l@m-n:o/ada", 'ada']
]

for (const [rule, path, expected] of MATCHES) {
  t.test(`under ${rule} the owner of ${path} is ${expected ?? 'nobody'}`, async (t) => {
    t.equal(owner(rule, path), expected)
  })
}

const FAULTS: Record<string, string[]> = {
  'does not begin with a slash': ['', ' ', 'api/:user_id', ':user_id/*', ' /api/:user_id', '*'],
  'has an empty segment, or a slash at its end': [
    '/',
    '//:user_id',
    '/api//:user_id',
    '/api/:user_id/',
    '/:user_id//*'
  ],
  'has a `*` that is not its last segment': ['/*/:user_id', '/api/*/:user_id/*', '/:user_id/*/*'],
  'does not have `:user_id` once': [
    '/*',
    '/api',
    '/api/*',
    '/api/:id/*',
    '/:user_id/:user_id',
    '/api/:User_id',
    '/a:user_id'
  ],
  'has a segment that is no plain text': [
    '/api/:org/:user_id',
    '/api*/:user_id',
    '/**/:user_id',
    '/./:user_id',
    '/../:user_id',
    '/a;b/:user_id',
    '/a%20b/:user_id',
    '/a b/:user_id',
    '/a?b/:user_id',
    '/a#b/:user_id',
    '/a\\b/:user_id',
    '/a,b/:user_id',
    '/é/:user_id',
    '/a\n/:user_id',
    '/:user_id/\0'
  ]
}

for (const [fault, rules] of Object.entries(FAULTS)) {
  t.test(`a rule that ${fault} is refused with these words`, async (t) => {
    for (const rule of rules) t.strictSame(compileOwnerRule(rule), { fault }, JSON.stringify(rule))
  })
}
