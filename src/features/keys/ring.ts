import { unavailable } from '../../errors.js'
import { deriveKey, open, seal } from '../../lib/seal.js'
import { keyOfSecret, restoreKey } from './material.js'
import type { KeyRow } from './store.js'
import type { SigningKey } from './types.js'

const SEALING_CONTEXT = 'postern/signing-keys'

export interface Secrets {
  authSecret: Buffer
  authSecretPrevious: Buffer | undefined
  jwtSecret: Buffer | undefined
}

export type Ring = ReturnType<typeof createRing>

/** The keys in memory, opened once each, so that the same key is always the same object. */
export function createRing({ authSecret, authSecretPrevious, jwtSecret }: Secrets) {
  const sealingKey = deriveKey(authSecret, SEALING_CONTEXT)
  const previousKey = authSecretPrevious && deriveKey(authSecretPrevious, SEALING_CONTEXT)
  const secretKey = jwtSecret && keyOfSecret(jwtSecret)
  const opened = new Map<string, SigningKey>()
  let rows: readonly KeyRow[] | undefined

  function openRow(row: KeyRow): SigningKey | undefined {
    if (row.kid === secretKey?.kid) return secretKey
    const sealed = row.privateKeyCiphertext
    const material = open(sealingKey, sealed, row.kid) ?? (previousKey && open(previousKey, sealed, row.kid))
    if (material === undefined) return undefined
    return row.algorithm === 'HS256' ? keyOfSecret(material) : restoreKey(row.algorithm, material.toString('utf8'))
  }

  return {
    secretKey,

    /** What rests in the table for a key: only this service's secret opens it, and only in its own row. */
    sealKey(key: SigningKey): string {
      const material = typeof key.signWith === 'string' ? Buffer.from(key.signWith, 'utf8') : key.signWith
      return seal(sealingKey, material, key.kid)
    },

    /** The row under the present secret, when it is still sealed under the previous one. */
    resealed(row: KeyRow): string | undefined {
      if (previousKey === undefined || open(sealingKey, row.privateKeyCiphertext, row.kid) !== undefined)
        return undefined
      const material = open(previousKey, row.privateKeyCiphertext, row.kid)
      return material && seal(sealingKey, material, row.kid)
    },

    /** Takes over what the table says. Returns the kids that no secret of this instance opens. */
    update(newRows: readonly KeyRow[]): string[] {
      const locked: string[] = []
      for (const row of newRows) {
        if (opened.has(row.kid)) continue
        const key = openRow(row)
        if (key) opened.set(row.kid, key)
        else locked.push(row.kid)
      }
      rows = newRows
      return locked
    },

    /** Throws `unavailable` before the first load. */
    rows(): readonly KeyRow[] {
      if (rows === undefined) throw unavailable(new Error('the signing keys are not loaded'))
      return rows
    },

    loaded: (): boolean => rows !== undefined,
    key: (kid: string): SigningKey | undefined => opened.get(kid)
  }
}
