import { encode, ORDER, publicKeyOf, signatureOf, toBytes, toNumber } from './sign.js'
import { headerOf, make } from './token.js'

/** What somebody without the key can make, and what a JWS implementation alone has to refuse (RFC 7515, RFC 8725). */
export function forgeries(keys) {
  return [
    ...noAlgorithm(keys),
    ...confusion(keys),
    ...wrongKeys(keys),
    ...broughtKeys(keys),
    ...wrongLabels(keys),
    ...critical(keys),
    ...signatures(keys)
  ].map(([id, about, key, reason, token]) => ({ id, about, key, level: 'jws', reason, token }))
}

const unsigned = (key, header) => make(key, { header, signature: () => '' })

function noAlgorithm({ ES256: key }) {
  const spellings = ['None', 'NONE', 'nOnE'].map((alg) => [
    `alg-${alg}`,
    `alg ${alg}, without a signature`,
    'ES256',
    'wrong_algorithm',
    unsigned(key, { alg })
  ])
  return [
    ...spellings,
    [
      'alg-none-no-kid',
      'alg none, without kid and signature',
      'ES256',
      'unknown_key',
      unsigned(key, { alg: 'none', kid: undefined })
    ],
    ['alg-empty', 'alg is empty, without a signature', 'ES256', 'wrong_algorithm', unsigned(key, { alg: '' })],
    ['alg-missing', 'No alg, signed', 'ES256', 'wrong_algorithm', make(key, { header: { alg: undefined } })],
    ['alg-number', 'alg is no text', 'ES256', 'wrong_algorithm', make(key, { header: { alg: 256 } })]
  ]
}

/** HMAC with the public key, which everybody has, as its secret (RFC 8725, 2.1). */
function confusion({ ES256, EdDSA, RS256 }) {
  const hmac = (k) => ({ alg: 'HS256', k: Buffer.from(k).toString('base64url') })
  const { d: _, ...jwk } = ES256
  const forged = (key, secret, header = { alg: 'HS256' }) => make(key, { header, signer: hmac(secret) })
  const pem = publicKeyOf(ES256, 'pem')
  const secrets = {
    pem,
    'pem-trimmed': pem.toString().trim(),
    der: publicKeyOf(ES256, 'der'),
    jwk: JSON.stringify(jwk),
    x: Buffer.from(ES256.x, 'base64url'),
    kid: ES256.kid,
    empty: ''
  }
  return [
    ...Object.entries(secrets).map(([name, secret]) => [
      `hs256-by-${name}`,
      `HS256 under the public key as a secret: ${name}`,
      'ES256',
      'wrong_algorithm',
      forged(ES256, secret)
    ]),
    [
      'hs256-by-eddsa-pem',
      'The same with an EdDSA key',
      'EdDSA',
      'wrong_algorithm',
      forged(EdDSA, publicKeyOf(EdDSA, 'pem'))
    ],
    [
      'hs256-by-rs256-pem',
      'The same with an RS256 key',
      'RS256',
      'wrong_algorithm',
      forged(RS256, publicKeyOf(RS256, 'pem'))
    ],
    [
      'hs256-by-pem-no-kid',
      'The same without a kid',
      'ES256',
      'unknown_key',
      forged(ES256, pem, { alg: 'HS256', kid: undefined })
    ],
    [
      'es256-hmac',
      'The header says ES256, the signature is that HMAC',
      'ES256',
      'bad_signature',
      forged(ES256, pem, {})
    ]
  ]
}

function wrongKeys({ ES256, 'ES256-next': next, EdDSA, RS256, stranger }) {
  const kids = {
    path: '../../../../dev/null',
    sql: "' or 1=1 --",
    url: 'https://attacker.example/key',
    empty: '',
    proto: '__proto__',
    spaced: `${ES256.kid} `
  }
  return [
    ['stranger', 'Signed by a stranger under our kid', 'ES256', 'bad_signature', make(ES256, { signer: stranger })],
    ['stranger-own-kid', "Signed by a stranger under the stranger's kid", 'ES256', 'unknown_key', make(stranger)],
    [
      'kid-of-next',
      'The kid of another published key',
      'ES256',
      'bad_signature',
      make(ES256, { header: { kid: next.kid } })
    ],
    [
      'kid-of-eddsa',
      'The kid of a key of another type',
      'ES256',
      'wrong_algorithm',
      make(ES256, { header: { kid: EdDSA.kid } })
    ],
    [
      'kid-of-rs256',
      'The kid of a key of another type',
      'ES256',
      'wrong_algorithm',
      make(ES256, { header: { kid: RS256.kid } })
    ],
    ['kid-number', 'The kid is no text', 'ES256', 'unknown_key', make(ES256, { header: { kid: 1 } })],
    ...Object.entries(kids).map(([name, kid]) => [
      `kid-${name}`,
      `A kid that is none of ours: ${name}`,
      'ES256',
      'unknown_key',
      make(ES256, { header: { kid } })
    ])
  ]
}

/** RFC 8725, 3.10: a token does not say which key is to be trusted. */
function broughtKeys({ ES256, stranger }) {
  const { d: _, kid, alg, use, ...jwk } = stranger
  const members = {
    jwk: { jwk },
    jku: { jku: 'https://attacker.example/jwks.json' },
    x5u: { x5u: 'https://attacker.example/key.pem' },
    x5c: { x5c: [publicKeyOf(stranger, 'der').toString('base64')] }
  }
  return Object.entries(members).map(([name, header]) => [
    `header-${name}`,
    `The header brings or names its key by ${name}, and that key has signed`,
    'ES256',
    'token_malformed',
    make(ES256, { header, signer: stranger })
  ])
}

function wrongLabels({ ES256, RS256, HS256, EdDSA }) {
  const label = (key, alg, signed = key.alg) => [
    `${key.alg.toLowerCase()}-says-${alg}`,
    `A key for ${key.alg}, a header that says ${alg}, a signature by ${signed}`,
    key.alg,
    'wrong_algorithm',
    make(key, { header: { alg }, alg: signed })
  ]
  return [
    label(ES256, 'es256'),
    label(ES256, 'ES384'),
    label(ES256, 'RS256'),
    label(ES256, 'EdDSA'),
    label(EdDSA, 'ES256'),
    label(RS256, 'RS512', 'RS512'),
    label(RS256, 'PS256'),
    label(HS256, 'HS512', 'HS512'),
    label(HS256, 'HS384', 'HS384')
  ]
}

/** RFC 7515, 4.1.11: what is critical and not understood is refused. */
function critical({ ES256 }) {
  const url = 'https://example.com/unknown'
  const headers = {
    'crit-exp': { crit: ['exp'], exp: 1 },
    'crit-unknown': { crit: [url], [url]: true },
    'crit-b64': { crit: ['b64'], b64: false }
  }
  return Object.entries(headers).map(([id, header]) => [
    id,
    `Signed by the key, with crit: ${JSON.stringify(header)}`,
    'ES256',
    'token_malformed',
    make(ES256, { header })
  ])
}

function signatures({ ES256, EdDSA, RS256, HS256 }) {
  const zero = Buffer.alloc(32)
  const order = toBytes(ORDER)
  const half = (bytes) => [bytes.subarray(0, 32), bytes.subarray(32)]
  const row = (id, about, key, change) => [id, about, key.alg, 'bad_signature', make(key, { signature: change })]
  return [
    row('es256-zeros', 'r and s are zero (CVE-2022-21449)', ES256, () => Buffer.alloc(64)),
    row('es256-r-zero', 'r is zero', ES256, (bytes) => Buffer.concat([zero, half(bytes)[1]])),
    row('es256-s-zero', 's is zero', ES256, (bytes) => Buffer.concat([half(bytes)[0], zero])),
    row('es256-order', 'r and s are the order of the curve', ES256, () => Buffer.concat([order, order])),
    row('es256-swapped', 's stands before r', ES256, (bytes) => Buffer.concat(half(bytes).reverse())),
    row('es256-der', 'The signature in DER', ES256, toDer),
    row('es256-twice', 'The signature twice', ES256, (bytes) => Buffer.concat([bytes, bytes])),
    row('eddsa-zeros', 'The signature is zero', EdDSA, () => Buffer.alloc(64)),
    row('eddsa-s-plus-l', 'S is not canonical (RFC 8032, 5.1.7)', EdDSA, plusOrder),
    row('rs256-zeros', 'The signature is zero', RS256, () => Buffer.alloc(256)),
    row('rs256-one', 'The signature is one', RS256, () => Buffer.concat([Buffer.alloc(255), Buffer.from([1])])),
    row('rs256-leading-zero', 'A zero before the signature', RS256, (bytes) => Buffer.concat([Buffer.alloc(1), bytes])),
    row('hs256-half', 'Half of the HMAC', HS256, (bytes) => bytes.subarray(0, 16)),
    [
      'signed-without-header',
      'The claims alone are signed',
      'ES256',
      'bad_signature',
      make(ES256, { signature: (_, signed) => signatureOf(signed.split('.')[1], ES256) })
    ],
    [
      'header-swapped',
      'The header of a token of another key of ours',
      'ES256',
      'wrong_algorithm',
      make(ES256).replace(/^[^.]+/, encode({ ...headerOf(EdDSA), alg: 'ES256' }))
    ]
  ]
}

function toDer(bytes) {
  const integer = (part) => {
    const number = toNumber(part).toString(16)
    const even = number.padStart(number.length + (number.length % 2), '0')
    const signed = Number.parseInt(even.slice(0, 2), 16) > 127 ? `00${even}` : even
    return Buffer.concat([Buffer.from([2, signed.length / 2]), Buffer.from(signed, 'hex')])
  }
  const both = Buffer.concat([integer(bytes.subarray(0, 32)), integer(bytes.subarray(32))])
  return Buffer.concat([Buffer.from([0x30, both.length]), both])
}

/** The order of the group of Ed25519. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n

function plusOrder(bytes) {
  const s = toNumber(Buffer.from(bytes.subarray(32)).reverse())
  return Buffer.concat([bytes.subarray(0, 32), toBytes(s + L).reverse()])
}
