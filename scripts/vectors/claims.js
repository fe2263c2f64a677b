import { AUDIENCE, CLAIMS, ISSUER, LEEWAY_SECONDS, make, OTHER_ID, TIME, TTL_SECONDS, USER_ID } from './token.js'

/** What a token says. Everything here is signed by the key. */
export function claims({ ES256: key, 'ES256-next': next }) {
  const vector = (level, reason, rows) =>
    Object.entries(rows).map(([id, [about, change]]) => {
      const claims = typeof change === 'string' ? change : { ...change }
      return { id, about, key: 'ES256', ...(level && { level, reason }), token: make(key, { claims }) }
    })
  return [
    { id: 'next-key', about: 'Under another published key', key: 'ES256', token: make(next) },
    ...vector(undefined, undefined, GOOD),
    ...Object.values(TYPES).map(([id, about, typ]) => ({
      id,
      about,
      key: 'ES256',
      level: 'jwt',
      reason: 'wrong_type',
      token: make(key, { header: { typ } })
    })),
    ...vector('jwt', 'wrong_issuer', ISSUERS),
    ...vector('jwt', 'wrong_audience', AUDIENCES),
    ...vector('postern', 'wrong_audience', AUDIENCE_LISTS),
    ...vector('jwt', 'token_expired', EXPIRED),
    ...vector('postern', 'token_expired', {
      'expired-edge': ['Its leeway ends in this second', { exp: TIME - LEEWAY_SECONDS }]
    }),
    ...vector('jwt', 'invalid_claim', { 'not-yet': ['Good from a minute on', { nbf: TIME + 60 }] }),
    ...vector('jwt', 'missing_claim', missing(['exp', 'iss', 'aud'])),
    ...vector('postern', 'missing_claim', missing(['user_id', 'email', 'iat', 'sub', 'sid', 'jti'])),
    ...vector('postern', 'missing_claim', {
      'exp-null': ['exp is null', { exp: null }],
      'sub-null': ['sub is null', { sub: null }],
      'no-claim-at-all': ['An empty object', '{}'],
      'sid-inherited': ['The sid stands in __proto__', inherited('sid')]
    }),
    ...vector('postern', 'invalid_claim', { ...TIMES, ...IDS, ...numbers() })
  ]
}

const GOOD = {
  'more-claims': ['Claims that nobody knows', { scope: 'read write', nested: { deep: [1, null] } }],
  'nbf-past': ['Good since a minute ago', { nbf: TIME - 60 }],
  'exp-within-leeway': ['It ended four seconds ago', { exp: TIME - LEEWAY_SECONDS + 1 }],
  'iat-within-leeway': [
    'Signed by a clock that is five seconds ahead',
    { iat: TIME + LEEWAY_SECONDS, exp: TIME + 900 }
  ],
  'nbf-within-leeway': ['Good in five seconds', { nbf: TIME + LEEWAY_SECONDS }],
  'longest-life': ['It lives as long as any, and the leeway', { exp: CLAIMS.iat + TTL_SECONDS + LEEWAY_SECONDS }],
  'almost-too-long': ['A little shorter than 8 KiB', { filler: 'x'.repeat(5600) }]
}

const TYPES = [
  ['typ-missing', 'No typ', undefined],
  ['typ-jwt', 'Another type: JWT', 'JWT'],
  ['typ-refresh', 'Another type: refresh+jwt', 'refresh+jwt'],
  ['typ-empty', 'The typ is empty', ''],
  ['typ-number', 'The typ is no text', 1]
]

const ISSUERS = {
  'iss-slash': ['A slash behind the issuer', { iss: `${ISSUER}/` }],
  'iss-prefix': ['The issuer is the beginning', { iss: `${ISSUER}.attacker.example` }],
  'iss-part': ['A part of the issuer', { iss: ISSUER.slice(0, -5) }],
  'iss-case': ['The issuer in capitals', { iss: ISSUER.toUpperCase() }],
  'iss-empty': ['An empty issuer', { iss: '' }],
  'iss-array': ['A list with the issuer', { iss: [ISSUER] }]
}

const AUDIENCES = {
  'aud-prefix': ['The audience is the beginning', { aud: `${AUDIENCE}-admin` }],
  'aud-case': ['The audience in capitals', { aud: AUDIENCE.toUpperCase() }],
  'aud-empty': ['An empty audience', { aud: '' }],
  'aud-others': ['A list of others', { aud: ['one', 'another'] }],
  'aud-none': ['An empty list', { aud: [] }],
  'aud-number': ['No text', { aud: 1 }]
}

const AUDIENCE_LISTS = {
  'aud-array': ['A list with the audience alone', { aud: [AUDIENCE] }],
  'aud-array-many': ['A list with the audience and another', { aud: [AUDIENCE, 'another'] }]
}

const EXPIRED = {
  'expired-just-now': ['It ended a second more than the leeway ago', { exp: TIME - LEEWAY_SECONDS - 1 }],
  'expired-at-zero': ['It ended in 1970', { iat: 0, exp: 0 }]
}

const TIMES = {
  'iat-future': ['Signed in the future', { iat: TIME + LEEWAY_SECONDS + 1, exp: TIME + 900 }],
  'life-too-long': [
    'It lives a second longer than any of ours',
    { exp: CLAIMS.iat + TTL_SECONDS + LEEWAY_SECONDS + 1 }
  ],
  'life-ten-years': ['It lives for ten years', { exp: TIME + 315_360_000 }],
  'ends-before-it-begins': ['It ends before it begins', { iat: TIME + 4, exp: TIME + 3 }],
  'exp-text': ['exp is a text', { exp: String(CLAIMS.exp) }],
  'exp-fraction': ['exp has a fraction', { exp: CLAIMS.exp + 0.5 }],
  'exp-negative': ['exp is negative', { exp: -1 }],
  'exp-true': ['exp is true', { exp: true }],
  'exp-array': ['exp is a list', { exp: [CLAIMS.exp] }],
  'exp-unsafe': ['exp is larger than what a double counts', { exp: 2 ** 53 }],
  'iat-text': ['iat is a text', { iat: String(CLAIMS.iat) }],
  'nbf-null': ['nbf is null', { nbf: null }],
  'nbf-text': ['nbf is a text', { nbf: String(TIME - 60) }]
}

const IDS = {
  'sub-other': ['sub is not the user_id', { sub: OTHER_ID }],
  'sub-empty': ['sub is empty', { sub: '' }],
  'user-id-other': ['user_id is not the sub', { user_id: OTHER_ID }],
  'user-id-capitals': ['The user_id in capitals', { user_id: USER_ID.toUpperCase(), sub: USER_ID.toUpperCase() }],
  'user-id-no-uuid': ['The user_id is no UUID', { user_id: 'ada', sub: 'ada' }],
  'user-id-number': ['The user_id is a number', { user_id: 1, sub: 1 }],
  'user-id-array': ['The user_id is a list', { user_id: [USER_ID] }],
  'sid-no-uuid': ['The sid is no UUID', { sid: 'x' }],
  'jti-number': ['The jti is a number', { jti: 1 }],
  'email-object': ['The email is an object', { email: {} }]
}

function missing(names) {
  return Object.fromEntries(
    names.map((name) => [`no-${name.replace('_', '-')}`, [`Without ${name}`, { [name]: undefined }]])
  )
}

function inherited(name) {
  return JSON.stringify({ ...CLAIMS, [name]: undefined }).replace('{', `{"__proto__":{"${name}":"${CLAIMS[name]}"},`)
}

/** What JSON can write and a number cannot hold. */
function numbers() {
  const written = { 'exp-infinite': '1e400', 'exp-minus-infinite': '-1e400', 'exp-digits': '9'.repeat(30) }
  const text = JSON.stringify(CLAIMS)
  return Object.fromEntries(
    Object.entries(written).map(([id, number]) => [
      id,
      [`exp is ${number}`, text.replace(/"exp":\d+/, `"exp":${number}`)]
    ])
  )
}
