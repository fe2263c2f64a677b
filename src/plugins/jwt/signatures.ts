import fastifyJwt, { type JWT } from '@fastify/jwt'
import Fastify from 'fastify'
import { hasLowS, withLowS } from '../../lib/low-s.js'
import { TOKEN_TYPE } from './checks.js'
import type { TokenKey } from './types.js'

/**
 * Signs and checks signatures with @fastify/jwt. Called with a key, it parses that key at each call, which takes ten times
 * as long as signing with it; set up with a key, it parses it once. Keys change while we run, and a plugin is set up
 * before that: so each key has a host of its own, which serves nothing and goes when the key does.
 */
export function createSignatures() {
  const hosts = new WeakMap<TokenKey, Promise<JWT>>()

  function hostOf(key: TokenKey): Promise<JWT> {
    const host = hosts.get(key) ?? createHost(key)
    hosts.set(key, host)
    return host
  }

  return {
    /** The token, in compact serialization. */
    async sign(claims: Record<string, unknown>, key: TokenKey): Promise<string> {
      const token = (await hostOf(key)).sign(claims)
      return key.algorithm === 'ES256' ? replaceSignature(token, withLowS) : token
    },

    /** Whether it is the signature of this key, and the only one that it has for this token. */
    async isGood(token: string, key: TokenKey): Promise<boolean> {
      const host = await hostOf(key)
      try {
        host.verify(token)
        return key.algorithm !== 'ES256' || hasLowS(signatureOf(token))
      } catch {
        return false
      }
    }
  }
}

/** One key, one algorithm. What the claims say is judged elsewhere. */
async function createHost({ kid, algorithm, signWith, verifyWith }: TokenKey): Promise<JWT> {
  const host = Fastify()
  await host.register(fastifyJwt, {
    secret: { private: signWith, public: verifyWith },
    sign: { algorithm, kid, header: { alg: algorithm, typ: TOKEN_TYPE } },
    verify: { algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true }
  })
  return host.jwt
}

function signatureOf(token: string): Buffer {
  return Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')
}

function replaceSignature(token: string, replace: (signature: Buffer) => Buffer): string {
  const signed = token.slice(0, token.lastIndexOf('.') + 1)
  return `${signed}${replace(signatureOf(token)).toString('base64url')}`
}
