import { unavailable } from '../../errors.js'
import { createReload } from '../../lib/reload.js'
import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import { type Schedule, signerOf, stateOf } from './lifecycle.js'
import { createRing, type Secrets } from './ring.js'
import { type StepDeps, takeDueSteps } from './steps.js'
import { listKeys, lockKeys } from './store.js'
import type { KeyState, KeyTimes, SigningKey } from './types.js'

export interface KeysDeps {
  db: Db
  events: Events
  clock: { now(): number }
  secrets: Secrets
  schedule: Schedule
  log: { warn(details: object, message: string): void }
}

/** What was read longer ago than this may miss a revocation: it is read again before a key is trusted. */
const MAX_AGE_MS = 900
const RELOAD_GAP_MS = 50

export type KeyHolder = ReturnType<typeof createKeyHolder>

/** The table's keys in memory, how old that copy is, and the one way to change the table. */
export function createKeyHolder({ db, events, clock, secrets, schedule, log }: KeysDeps) {
  const ring = createRing(secrets)
  const steps: StepDeps = { events, ring, schedule }
  const secretKid = ring.secretKey?.kid
  let loadedAtMs = Number.NEGATIVE_INFINITY

  const reload = createReload(async () => {
    const startedAt = performance.now()
    const locked = ring.update(await listKeys(db))
    loadedAtMs = startedAt
    if (locked.length > 0) log.warn({ kids: locked }, 'signing keys that AUTH_SECRET does not open')
  }, RELOAD_GAP_MS)

  return {
    ring,
    steps,
    /** The kid of JWT_SECRET's key; undefined where key pairs sign. */
    secretKid,
    reload,
    isFresh: (): boolean => ring.loaded() && performance.now() - loadedAtMs < MAX_AGE_MS,
    stateOf: (row: KeyTimes): KeyState => stateOf(row, ring.rows(), clock.now(), secretKid),

    /** The key that signs now, if there is one that may. Throws `unavailable` before the first load. */
    signer(): SigningKey | undefined {
      if (secretKid === undefined) return ring.key(signerOf(ring.rows(), clock.now())?.kid ?? '')
      const revoked = ring.rows().some(({ kid, revokedAt }) => kid === secretKid && revokedAt !== null)
      return revoked ? undefined : ring.secretKey
    },

    /** In one transaction that no other instance shares; what is due because of it is done in the same. */
    async change(work: (tx: Db) => Promise<void>, starting = false): Promise<void> {
      await db.transaction(async (tx) => {
        await lockKeys(tx)
        await work(tx)
        // Under JWT_SECRET no key pair signs, so that none needs to be made.
        if (secretKid === undefined) await takeDueSteps(tx, steps, clock.now(), starting)
      })
      await reload()
    }
  }
}

/** Throws `unavailable`: nothing may be signed. */
export function requireSigner(holder: KeyHolder): SigningKey {
  const key = holder.signer()
  if (key === undefined) throw unavailable(new Error('no signing key can be used'))
  return key
}
