import { flipBit, make, OTHER_ID, TIME } from './token.js'

/** What holds for a token of each algorithm. */
export function everyKey(key) {
  const good = make(key)
  const [header, claims, signature] = good.split('.')
  const [, , another] = make(key, { claims: { jti: 'another' } }).split('.')
  const cut = Buffer.from(signature, 'base64url').subarray(0, -1)
  const jws = [
    ['signature-first-bit', 'The first bit of the signature is flipped', 'bad_signature', flipBit(good, 2, 0)],
    ['signature-last-bit', 'The last byte of the signature is altered', 'bad_signature', flipBit(good, 2, -1)],
    ['claims-bit', 'One bit of the email is flipped', 'bad_signature', flipBit(good, 1, '"email":"')],
    ['kid-bit', 'One bit of the kid is flipped', 'unknown_key', flipBit(good, 0, '"kid":"')],
    ['alg-bit', 'One bit of the alg is flipped', 'wrong_algorithm', flipBit(good, 0, '"alg":"')],
    ['typ-bit', 'One bit of the typ is flipped', 'wrong_type', flipBit(good, 0, '"typ":"')],
    [
      'other-user',
      'The claims name another user, the signature is the old one',
      'bad_signature',
      `${header}.${make(key, { claims: { user_id: OTHER_ID, sub: OTHER_ID } }).split('.')[1]}.${signature}`
    ],
    ['other-signature', 'The signature of another token', 'bad_signature', `${header}.${claims}.${another}`],
    ['no-signature', 'The signature is empty', 'bad_signature', `${header}.${claims}.`],
    ['signature-short', 'The last byte of the signature is missing', 'bad_signature', withSignature(good, cut)],
    [
      'signature-long',
      'The signature has a byte too many',
      'bad_signature',
      withSignature(good, Buffer.concat([Buffer.from(signature, 'base64url'), Buffer.alloc(1)]))
    ],
    [
      'alg-none',
      'alg none, without a signature',
      'wrong_algorithm',
      withSignature(make(key, { header: { alg: 'none' } }), '')
    ],
    [
      'alg-none-signed',
      'alg none, signed with the key all the same',
      'wrong_algorithm',
      make(key, { header: { alg: 'none' } })
    ]
  ]
  const jwt = [
    ['expired', 'It ended a minute ago', 'token_expired', make(key, { claims: { iat: TIME - 3600, exp: TIME - 60 } })],
    ['wrong-audience', 'For another audience', 'wrong_audience', make(key, { claims: { aud: 'another' } })],
    ['wrong-issuer', 'Of another issuer', 'wrong_issuer', make(key, { claims: { iss: 'https://id.example.org/auth' } })]
  ]
  const name = key.alg.toLowerCase()
  const list = (level, rows) =>
    rows.map(([id, about, reason, token]) => ({ id: `${name}-${id}`, about, key: key.alg, level, reason, token }))
  return [
    { id: `${name}-good`, about: 'As the service makes it', key: key.alg, token: good },
    ...list('jws', jws),
    ...list('jwt', jwt)
  ]
}

function withSignature(token, bytes) {
  return `${token.slice(0, token.lastIndexOf('.'))}.${Buffer.from(bytes).toString('base64url')}`
}
