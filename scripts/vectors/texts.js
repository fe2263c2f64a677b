import { ORDER, toBytes, toNumber } from './sign.js'
import { CLAIMS, headerOf, make, OTHER_ID, padded, withSpareBit } from './token.js'

/** How a token is written. All but the broken ones are signed by the key as they stand. */
export function texts({ ES256: key }) {
  return [
    ...broken(key).map((row) => ['jws', ...row]),
    ...noClaims(key).map((row) => ['jwt', ...row]),
    ...[...spellings(key), ...doubles(key), ...members(key)].map((row) => ['postern', ...row])
  ].map(([level, id, about, token, reason = 'token_malformed']) => ({ id, about, key: 'ES256', level, reason, token }))
}

function broken(key) {
  const good = make(key)
  const [header, claims, signature] = good.split('.')
  return [
    ['one-part', 'The header alone', header],
    ['two-parts', 'No third part', `${header}.${claims}`],
    ['four-parts', 'Four parts', `${good}.${signature}`],
    ['five-parts', 'Five parts, as a JWE has', `${header}.${signature}.${signature}.${claims}.${signature}`],
    ['empty-parts', 'Three empty parts', '..'],
    ['no-claims', 'The second part is empty', `${header}..${signature}`],
    ['no-header', 'The first part is empty', `.${claims}.${signature}`],
    ['truncated', 'Cut in the middle of the claims', good.slice(0, header.length + 40)],
    ['truncated-signature', 'Cut in the middle of the signature', good.slice(0, -46), 'bad_signature'],
    ['doubled', 'Twice, with a dot between', `${good}.${good}`],
    ['json', 'The JSON serialisation', JSON.stringify({ protected: header, payload: claims, signature })],
    ['header-no-json', 'The header is no JSON', make(key, { header: 'header' })],
    ['header-array', 'The header is an array', make(key, { header: JSON.stringify([headerOf(key)]) })]
  ]
}

function noClaims(key) {
  const claims = JSON.stringify(CLAIMS)
  const bodies = {
    empty: '',
    array: `[${claims}]`,
    text: JSON.stringify(claims),
    null: 'null',
    cut: claims.slice(0, -1),
    continued: `${claims}x`,
    two: `${claims}{}`
  }
  return Object.entries(bodies).map(([name, text]) => [
    `claims-${name}`,
    `The claims are no JSON object: ${name}`,
    make(key, { claims: text })
  ])
}

/** Long enough that each part leaves spare bits, and a signature in which base64 and base64url differ. */
function suitable(key) {
  for (let filler = 'x'; ; filler += 'x') {
    const change = { header: { filler }, claims: { filler } }
    const parts = make(key, change).split('.')
    if (parts.every((part) => part.length % 4 >= 2) && /[-_]/.test(parts[2])) return change
  }
}

/** One token in another text: nobody without the key makes another meaning of it, but "the same token" is two. */
function spellings(key) {
  const change = suitable(key)
  const good = make(key, change)
  const [header, claims, signature] = good.split('.')
  const respelled = (index, respell) =>
    make(key, { ...change, text: (parts) => parts.map((part, at) => (at === index ? respell(part) : part)) })
  const highS = make(key, { signature: otherS })
  return [
    ['es256-high-s', 'The other of the two signatures that ECDSA has', highS, 'bad_signature'],
    ['signature-padded', 'Padding after the signature', `${header}.${claims}.${padded(signature)}`],
    ['header-padded', 'Padding after the header, and signed so', respelled(0, padded)],
    ['claims-padded', 'Padding after the claims, and signed so', respelled(1, padded)],
    [
      'signature-spare-bits',
      'A bit is set behind the last byte of the signature',
      `${header}.${claims}.${withSpareBit(signature)}`
    ],
    ['header-spare-bits', 'A bit is set behind the last byte of the header, and signed so', respelled(0, withSpareBit)],
    ['claims-spare-bits', 'A bit is set behind the last byte of the claims, and signed so', respelled(1, withSpareBit)],
    [
      'signature-base64',
      'The signature in the alphabet of base64',
      `${header}.${claims}.${signature.replaceAll('-', '+').replaceAll('_', '/')}`
    ],
    [
      'signature-space',
      'A space inside the signature',
      `${header}.${claims}.${signature.slice(0, 9)} ${signature.slice(9)}`
    ],
    ['claims-bom', 'A byte order mark before the claims', make(key, { claims: `\ufeff${JSON.stringify(CLAIMS)}` })],
    ['claims-invalid-utf8', 'Invalid UTF-8 in the claims', make(key, { claims: withInvalidUtf8() })],
    ['too-long', 'Longer than 8 KiB', make(key, { claims: { filler: 'x'.repeat(6000) } })]
  ]
}

function otherS(bytes) {
  return Buffer.concat([bytes.subarray(0, 32), toBytes(ORDER - toNumber(bytes.subarray(32)))])
}

function withInvalidUtf8() {
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(CLAIMS).slice(0, -1)},"filler":"`),
    Buffer.from([0xff, 0xc0, 0x80]),
    Buffer.from('"}')
  ])
}

/** Two readers may disagree about which of two members counts (RFC 8725, 2.4). */
function doubles(key) {
  const claims = JSON.stringify(CLAIMS)
  const header = JSON.stringify(headerOf(key))
  const doubled = {
    'user-id-twice': { claims: claims.replace('{', `{"user_id":"${OTHER_ID}",`) },
    'user-id-twice-after': { claims: claims.replace('}', `,"user_id":"${OTHER_ID}"}`) },
    'user-id-twice-escaped': { claims: claims.replace('{', `{"\\u0075ser_id":"${OTHER_ID}",`) },
    'exp-twice': { claims: claims.replace('{', '{"exp":4102444800,') },
    'member-twice-deep': { claims: claims.replace('{', '{"more":[{"a":1,"a":2}],') },
    'alg-twice': { header: header.replace('{', '{"alg":"none",') },
    'kid-twice': { header: header.replace('{', '{"kid":"another",') }
  }
  return Object.entries(doubled).map(([id, change]) => [id, 'A name stands twice in one object', make(key, change)])
}

/** Signed by the key. Members that would change how a token is read, or that say where a key is. */
function members(key) {
  const { d: _, ...jwk } = key
  const headers = {
    'crit-empty': { crit: [] },
    'crit-null': { crit: null },
    b64: { b64: false },
    zip: { zip: 'DEF' },
    nested: { cty: 'JWT' },
    enc: { enc: 'A256GCM' },
    epk: { epk: {} },
    'own-jwk': { jwk },
    'own-jku': { jku: 'https://id.example.com/auth/.well-known/jwks.json' }
  }
  return [
    ...Object.entries(headers).map(([name, header]) => [
      `member-${name}`,
      `The header has ${Object.keys(header)[0]}`,
      make(key, { header })
    ]),
    ['no-kid', 'The header names no key', make(key, { header: { kid: undefined } }), 'unknown_key'],
    [
      'kid-inherited',
      'The kid stands in __proto__',
      make(key, { header: `{"__proto__":{"kid":"${key.kid}"},"alg":"ES256","typ":"at+jwt"}` }),
      'unknown_key'
    ],
    ...['AT+JWT', 'application/at+jwt'].map((typ) => [
      `typ-${typ.replace(/\W/g, '-')}`,
      `Another spelling of the type: ${typ}`,
      make(key, { header: { typ } }),
      'wrong_type'
    ])
  ]
}
