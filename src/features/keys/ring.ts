import { unavailable } from '../../errors.js'
import { deriveKey, open, seal } from '../../lib/seal.js'
import { keyOfSecret, materialOf, restoreKey } from './material.js'
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

  const byPresent = (row: KeyRow): Buffer | undefined => open(sealingKey, row.privateKeyCiphertext, row.kid)
  const byPrevious = (row: KeyRow): Buffer | undefined =>
    previousKey && open(previousKey, row.privateKeyCiphertext, row.kid)

  function openRow(row: KeyRow): SigningKey | undefined {
    if (row.kid === secretKey?.kid) return secretKey
    const material = byPresent(row) ?? byPrevious(row)
    return material && restoreKey(row.algorithm, row.kid, material)
  }

  return {
    secretKey,

    /** What rests in the table for a key: only this service's secret opens it, and only in its own row. */
    sealKey: (key: SigningKey): string => seal(sealingKey, materialOf(key), key.kid),

    /** The row under the present secret, when it is not yet: the previous one opens it, or it is JWT_SECRET's. */
    resealed(row: KeyRow): string | undefined {
      if (byPresent(row) !== undefined) return undefined
      const material = row.kid === secretKey?.kid ? materialOf(secretKey) : byPrevious(row)
      return material && seal(sealingKey, material, row.kid)
    },

    /** Takes over what the table says. Returns the kids that no secret of this instance opens. */
    update(newRows: readonly KeyRow[]): string[] {
      for (const row of newRows) {
        const key = opened.get(row.kid) ?? openRow(row)
        if (key) opened.set(row.kid, key)
      }
      rows = newRows
      return newRows.filter(({ kid }) => !opened.has(kid)).map(({ kid }) => kid)
    },

    /** Whether this instance could sign with it. */
    opens: (row: KeyRow): boolean => opened.has(row.kid) || openRow(row) !== undefined,

    /** Throws `unavailable` before the first load. */
    rows(): readonly KeyRow[] {
      if (rows === undefined) throw unavailable(new Error('the signing keys are not loaded'))
      return rows
    },

    loaded: (): boolean => rows !== undefined,
    key: (kid: string): SigningKey | undefined => opened.get(kid)
  }
}
