import { ApiError } from '../../errors.js'
import { createKeyHolder, type KeyHolder, type KeysDeps, requireSigner } from './holder.js'
import { revokeKey, rotateKey, startKeys, tickKeys } from './operations.js'
import type { KeyDescription, PublicJwk, SigningKey } from './types.js'

export type Keys = ReturnType<typeof createKeys>

/** Signing keys: kept in the database, the same on every instance, changed by whichever finds that a change is due. */
export function createKeys(deps: KeysDeps) {
  const holder = createKeyHolder(deps)
  const { ring } = holder

  function accepted(kid: string): SigningKey | undefined {
    const row = ring.rows().find((candidate) => candidate.kid === kid)
    const gone = row === undefined || ['revoked', 'retired'].includes(holder.stateOf(row))
    return gone ? undefined : ring.key(kid)
  }

  return {
    /** Makes what is missing. For the start, when the database is ready. Rejects when no key can be used. */
    start: (): Promise<void> => startKeys(holder, deps),

    /** One round of upkeep: reads the table, and does what is due. Rejects with `unavailable`. */
    tick: (): Promise<void> => tickKeys(holder, deps),

    /** The key that signs now. Throws `unavailable` when there is none that may. */
    current: (): SigningKey => requireSigner(holder),

    /** Undefined for a key that is unknown, retired or revoked. Throws `unavailable` when that cannot be known. */
    async find(kid: string): Promise<SigningKey | undefined> {
      const known = holder.isFresh() ? accepted(kid) : undefined
      if (known !== undefined) return known
      await holder.reload()
      return accepted(kid)
    },

    /** The public keys of everything that signs, will sign, or signed a token that may be alive. */
    jwks(): { keys: PublicJwk[] } {
      const keys = ring.rows().map(({ kid }) => accepted(kid)?.publicJwk)
      return { keys: keys.filter((jwk) => jwk !== undefined) }
    },

    /** As the log names it. */
    describe(): string {
      const key = ring.loaded() ? holder.signer() : undefined
      return key ? `${key.algorithm} ${key.kid}` : 'none yet'
    },

    list: (): KeyDescription[] => ring.rows().map(({ kid }) => describeKey(holder, kid)),

    /**
     * Lets the next key sign now. Throws `key_not_ready` before it has been published for long enough, unless forced:
     * then verifiers that keep the key set refuse new tokens for a while.
     */
    async rotate({ force = false } = {}): Promise<KeyDescription> {
      await rotateKey(holder, deps, force)
      return describeKey(holder, requireSigner(holder).kid)
    },

    /** Withdraws a key, and with it every token that it signed, on every instance within a second. */
    async revoke(kid: string): Promise<KeyDescription> {
      await revokeKey(holder, deps, kid)
      return describeKey(holder, kid)
    }
  }
}

function describeKey({ ring, stateOf }: KeyHolder, kid: string): KeyDescription {
  const row = ring.rows().find((candidate) => candidate.kid === kid)
  if (row === undefined) throw new ApiError('not_found')
  const { algorithm, createdAt, activeAt, replacedAt, retiresAt, revokedAt } = row
  return { kid, algorithm, createdAt, activeAt, replacedAt, retiresAt, revokedAt, state: stateOf(row) }
}
