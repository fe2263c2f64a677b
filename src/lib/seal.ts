import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const VERSION = 'v1'
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * 32 bytes for one purpose (RFC 5869, SHA-256). Two contexts give keys that say nothing about each other, so one
 * secret of 32 bytes or more serves several purposes.
 */
export function deriveKey(secret: Buffer, context: string, bytes = 32): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), context, bytes))
}

/**
 * Encrypts and authenticates (AES-256-GCM, a random 96-bit IV). `boundTo` is not stored: whoever opens it has to
 * name it again, so that a sealed value cannot be moved to another row.
 */
export function seal(key: Buffer, plaintext: Buffer, boundTo: string): string {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(boundTo, 'utf8'))
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return `${VERSION}.${Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url')}`
}

/** Returns undefined for whatever was not sealed under this key and bound to this name; never throws. */
export function open(key: Buffer, sealed: string, boundTo: string): Buffer | undefined {
  const [version, text] = sealed.split('.')
  const bytes = Buffer.from(text ?? '', 'base64url')
  if (version !== VERSION || bytes.length < IV_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(boundTo, 'utf8'))
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}
