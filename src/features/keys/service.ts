import { ApiError } from '../../errors.js'
import { createKeyHolder, type KeysDeps, requireSigner } from './holder.js'
import { readyAt, type Schedule } from './lifecycle.js'
import { revokeKey, rotateKey, startKeys, tickKeys } from './operations.js'
import { createPublished } from './published.js'
import { type KeyRow, listKeys } from './store.js'
import type { KeyAuthor, KeyDescription, Rotation, SigningKey } from './types.js'

export type { KeyAuthor, KeyDescription, Rotation } from './types.js'

export type Keys = ReturnType<typeof createKeys>

/** Signing keys: kept in the database, the same on every instance, changed by whichever finds that a change is due. */
export function createKeys(deps: KeysDeps) {
  const holder = createKeyHolder(deps)

  const described = (rows: readonly KeyRow[]): KeyDescription[] =>
    rows.map((row) => describeRow(row, holder.stateOf(row, rows), deps.schedule))

  const list = async (): Promise<KeyDescription[]> => described(await listKeys(deps.db))

  return {
    ...createPublished(holder),

    /** Makes what is missing. For the start, when the database is ready. Rejects when no key can be used. */
    start: (): Promise<void> => startKeys(holder, deps),

    /** Reads the table, and changes nothing. For whoever does no upkeep. Rejects with `unavailable`. */
    load: (): Promise<void> => holder.reload(),

    /** One round of upkeep: reads the table, and does what is due. Rejects with `unavailable`. */
    tick: (): Promise<void> => tickKeys(holder, deps),

    /** The key that signs now. Throws `unavailable` when there is none that may. */
    current: (): SigningKey => requireSigner(holder),

    /** As the log names it. */
    describe(): string {
      const key = holder.ring.loaded() ? holder.signer() : undefined
      return key ? `${key.algorithm} ${key.kid}` : 'none yet'
    },

    /** As last read, without what retired long ago: asks nobody. Throws `unavailable` before the first load. */
    inMemory: (): KeyDescription[] => described(holder.ring.rows()),

    /** All there ever were, oldest first, as the table has them at this moment. */
    list,

    /**
     * Lets the next key sign now. Throws `key_not_ready` before it has been published for long enough, unless forced:
     * then verifiers that keep the key set refuse new tokens for a while. Throws `invalid_request` where JWT_SECRET signs.
     */
    async rotate({ force = false, author }: { force?: boolean; author?: KeyAuthor } = {}): Promise<Rotation> {
      const { from, to } = await rotateKey(holder, deps, { force, author })
      const keys = await list()
      return {
        current: named(keys, to),
        previous: keys.find(({ kid }) => kid === from),
        next: keys.find(({ state }) => state === 'next')
      }
    },

    /** Withdraws a key, and with it every token that it signed, on every instance within a second. Throws `not_found`. */
    async revoke(kid: string, author?: KeyAuthor): Promise<KeyDescription> {
      await revokeKey(holder, deps, { kid, author })
      return named(await list(), kid)
    }
  }
}

function named(keys: readonly KeyDescription[], kid: string): KeyDescription {
  const key = keys.find((candidate) => candidate.kid === kid)
  if (key === undefined) throw new ApiError('not_found')
  return key
}

/** Times, never key material. */
function describeRow(row: KeyRow, state: KeyDescription['state'], schedule: Schedule): KeyDescription {
  const { kid, algorithm, createdAt, activeAt, replacedAt, retiresAt, revokedAt } = row
  const ready = state === 'next' ? readyAt(row, schedule) : null
  return { kid, algorithm, createdAt, activeAt, replacedAt, retiresAt, revokedAt, state, readyAt: ready }
}
