import { unavailable } from '../../errors.js'
import { createReload } from '../../lib/reload.js'
import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import { nextOf, type Schedule, signerOf, stateOf } from './lifecycle.js'
import { createRing, type Secrets } from './ring.js'
import { type StepDeps, takeDueSteps } from './steps.js'
import { type KeyRow, listKeys, listKeysSince, lockKeys } from './store.js'
import { createSupply } from './supply.js'
import type { KeyAuthor, KeyState, KeyTimes, SigningKey } from './types.js'

export interface KeysDeps {
  db: Db
  events: Pick<Events, 'record'>
  clock: { now(): number }
  secrets: Secrets
  schedule: Schedule
  log: { error(details: object, message: string): void }
}

/** What was read longer ago than this may miss a revocation: it is read again before a key is trusted. */
const MAX_AGE_MS = 900
const RELOAD_GAP_MS = 50
/** More than clocks differ: what retired longer ago is not looked at. */
const RETIRED_MS = 3_600_000

interface ChangeOptions {
  starting?: boolean
  newKeys?: number
  author?: KeyAuthor | undefined
}

export type KeyHolder = ReturnType<typeof createKeyHolder>

/** The table's keys in memory, how old that copy is, and the one way to change the table. */
export function createKeyHolder({ db, events, clock, secrets, schedule, log }: KeysDeps) {
  const ring = createRing(secrets)
  const secretKid = ring.secretKey?.kid
  const supply = createSupply(schedule, clock)
  const steps: StepDeps = { events, ring, schedule, newKey: supply.take }
  const report = reportOnce(log)
  let loadedAtMs = Number.NEGATIVE_INFINITY

  const reload = createReload(async () => {
    const startedAt = performance.now()
    report(ring.update(await listKeysSince(db, new Date(clock.now() - RETIRED_MS))))
    loadedAtMs = startedAt
  }, RELOAD_GAP_MS)

  /** Throws `unavailable` before the first load. */
  const signerRow = (): KeyRow | undefined => signerOf(ring.rows(), clock.now())

  /** Whoever does not hold the secret must not make keys that those who do cannot open. */
  function mayMakeKeys(rows: readonly KeyRow[]): boolean {
    const inPlay = [signerOf(rows, clock.now()), nextOf(rows, clock.now())]
    return inPlay.every((row) => row === undefined || ring.opens(row))
  }

  return {
    ring,
    steps,
    /** Undefined where key pairs sign. */
    secretKid,
    reload,
    isFresh: (): boolean => ring.loaded() && performance.now() - loadedAtMs < MAX_AGE_MS,
    stateOf: (row: KeyTimes, rows: readonly KeyTimes[]): KeyState => stateOf(row, rows, clock.now(), secretKid),
    signerRow,

    /** The key that signs now, if there is one that may. Throws `unavailable` before the first load. */
    signer(): SigningKey | undefined {
      if (secretKid === undefined) return ring.key(signerRow()?.kid ?? '')
      const revoked = ring.rows().some(({ kid, revokedAt }) => kid === secretKid && revokedAt !== null)
      return revoked ? undefined : ring.secretKey
    },

    /**
     * In one transaction that no other instance shares; what is due because of it is done in the same. `newKeys`: how
     * many keys the work itself will need. With an `author` it is theirs, and only as long as they may.
     */
    async change(work: (tx: Db) => Promise<void>, { starting = false, newKeys = 0, author }: ChangeOptions = {}) {
      // Under JWT_SECRET no key pair signs, so that none needs to be made.
      const pairs = secretKid === undefined
      if (pairs) await supply.prepare(db, starting, newKeys)
      await db.transaction(async (tx) => {
        await author?.permit(tx)
        await lockKeys(tx)
        await work(tx)
        const isDue = pairs && mayMakeKeys(await listKeys(tx))
        if (isDue) await takeDueSteps(tx, stepsBy(author, steps), clock.now(), starting)
      })
      await reload()
    }
  }
}

/** What is due because of a person's change is on record as theirs. */
function stepsBy(author: KeyAuthor | undefined, steps: StepDeps): StepDeps {
  if (author === undefined) return steps
  return { ...steps, events: { record: (tx, _client, event) => author.record(tx, event) } }
}

/** Throws `unavailable`: nothing may be signed. Its cause says to the operator why. */
export function requireSigner(holder: KeyHolder): SigningKey {
  const key = holder.signer()
  if (key === undefined) throw unavailable(new Error(whyNone(holder)))
  return key
}

function whyNone({ secretKid, signerRow }: KeyHolder): string {
  if (secretKid !== undefined) return 'the key of JWT_SECRET was revoked: set another JWT_SECRET'
  const kid = signerRow()?.kid
  if (kid === undefined) return 'there is no signing key yet'
  return `AUTH_SECRET does not open the signing key ${kid}: set the AUTH_SECRET that this database was used with`
}

/** Tells of each kid the first time alone: the table is read several times a second. */
function reportOnce(log: KeysDeps['log']): (kids: string[]) => void {
  const told = new Set<string>()
  return (kids) => {
    const fresh = kids.filter((kid) => !told.has(kid))
    for (const kid of fresh) told.add(kid)
    if (fresh.length === 0) return
    log.error({ kids: fresh }, 'AUTH_SECRET does not open these signing keys: another sealed them')
  }
}
