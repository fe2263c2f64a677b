// Makes test/vectors/tokens.json from test/vectors/keys.json, the same at each run.
// Usage: node scripts/vectors/index.js [--print]
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { claims } from './claims.js'
import { everyKey } from './every-key.js'
import { forgeries } from './forgeries.js'
import { texts } from './texts.js'
import { AUDIENCE, CLAIMS, ISSUER, LEEWAY_SECONDS, TIME, TTL_SECONDS } from './token.js'

const folder = new URL('../../test/vectors/', import.meta.url)
const keys = JSON.parse(readFileSync(new URL('keys.json', folder), 'utf8'))
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'HS256']
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']

const publicPart = (jwk) => Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE.includes(name)))

/** The verdict is written out, so that a reader needs no rule to find it. */
const written = ({ id, about, key, level, reason, token }) => ({
  id,
  about,
  algorithm: key,
  verdict: level === undefined ? 'good' : 'refused',
  ...(level && { level, reason }),
  token
})

const document = {
  about: 'Tokens of Postern and forgeries of them, each with its verdict: see README.md',
  time: TIME,
  leeway_seconds: LEEWAY_SECONDS,
  longest_life_seconds: TTL_SECONDS,
  issuer: ISSUER,
  audience: AUDIENCE,
  type: 'at+jwt',
  user_id: CLAIMS.user_id,
  session_id: CLAIMS.sid,
  jwks: { keys: ['ES256', 'ES256-next', 'EdDSA', 'RS256'].map((name) => publicPart(keys[name])) },
  secret: keys.HS256,
  vectors: [
    ...ALGORITHMS.flatMap((name) => everyKey(keys[name])),
    ...forgeries(keys),
    ...texts(keys),
    ...claims(keys)
  ].map(written)
}

const text = `${JSON.stringify(document, null, 2)}\n`
if (process.argv.includes('--print')) process.stdout.write(text)
else writeFileSync(fileURLToPath(new URL('tokens.json', folder)), text)
