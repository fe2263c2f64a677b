import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import bcrypt from '@node-rs/bcrypt'

/** bcrypt reads no more than this; longer input is silently cut by it. */
const BCRYPT_MAX_BYTES = 72
const SALT_BYTES = 16
const MIN_COST = 4
/** Above it one hash holds a thread for many seconds, and a bcrypt that runs cannot be stopped. No setting goes so far. */
const MAX_COST = 16

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BCRYPT = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** bcrypt's own base64: another alphabet, no padding. */
function encode(bytes: Buffer): string {
  const text = bytes.toString('base64').replace(/=+$/, '')
  return [...text].map((char) => BCRYPT[STANDARD.indexOf(char)]).join('')
}

/** Bits beyond the last whole byte are ignored, as every bcrypt does. */
function decode(text: string): Buffer {
  return Buffer.from([...text].map((char) => STANDARD[BCRYPT.indexOf(char)]).join(''), 'base64')
}

export interface PasswordHash {
  cost: number
  /** 22 characters of bcrypt's base64. */
  salt: string
  /** 31 characters of it. */
  digest: string
  /** bcrypt was given an HMAC of the password instead of the password. */
  prehashed: boolean
}

const PLAIN = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/
// The salt's text is the HMAC's key, so that only its one canonical spelling means anything.
const PREHASHED = /^\$bcrypt-sha256\$v=2,t=2b,r=([1-9]\d?)\$([./A-Za-z0-9]{21}[.Oeu])\$([./A-Za-z0-9]{31})$/

/** Reads `$2a$`, `$2b$`, `$2y$` and `$bcrypt-sha256$v=2`; undefined for anything else, and for a cost above 16. */
export function parseHash(stored: string): PasswordHash | undefined {
  const prehashed = PREHASHED.exec(stored)
  const [, digits, salt, digest] = prehashed ?? PLAIN.exec(stored) ?? []
  const cost = Number(digits)
  if (salt === undefined || digest === undefined || cost < MIN_COST || cost > MAX_COST) return undefined
  return { cost, salt, digest, prehashed: prehashed !== null }
}

/** The stored form: `$2b$…`, or passlib's published `$bcrypt-sha256$v=2` for a prehashed one. */
export function formatHash({ cost, salt, digest, prehashed }: PasswordHash): string {
  if (prehashed) return `$bcrypt-sha256$v=2,t=2b,r=${cost}$${salt}$${digest}`
  return `$2b$${String(cost).padStart(2, '0')}$${salt}${digest}`
}

/** Whether plain bcrypt would not see every byte: beyond 72 it cuts, and a NUL makes two passwords one. */
export function needsPrehash(password: Buffer): boolean {
  return password.length > BCRYPT_MAX_BYTES || password.includes(0)
}

/**
 * What bcrypt is given for a long password: base64 of HMAC-SHA-256 keyed by the salt. Keyed, so that a list of bare
 * SHA-256 hashes leaked elsewhere cannot be tried against ours ("password shucking").
 */
export function prehash(password: Buffer, salt: string): Buffer {
  return Buffer.from(createHmac('sha256', salt).update(password).digest('base64'))
}

/** 128 random bits in bcrypt's base64. */
export function newSalt(): string {
  return encode(randomBytes(SALT_BYTES))
}

/** One bcrypt of 2^cost rounds, on libuv's pool. Of `input` only the first 72 bytes count. */
export async function bcryptDigest(input: Buffer, cost: number, salt: string): Promise<string> {
  return (await bcrypt.hash(input, cost, decode(salt))).slice(-31)
}

/** In constant time for the digests of any two hashes. */
export function sameDigest(one: string, other: string): boolean {
  return timingSafeEqual(decode(one), decode(other))
}

/** How long this machine takes for one bcrypt, measured at a small cost: blocks for about 2 ms. */
export function estimateMs(cost: number): number {
  const measured = [1, 2].map(() => {
    const startedAt = performance.now()
    bcrypt.hashSync('', MIN_COST, Buffer.alloc(SALT_BYTES))
    return performance.now() - startedAt
  })
  return Math.min(...measured) * 2 ** (cost - MIN_COST)
}
