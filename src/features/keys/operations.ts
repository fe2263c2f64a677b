import { ApiError, unavailable } from '../../errors.js'
import { type KeyHolder, type KeysDeps, requireSigner } from './holder.js'
import { coveredUntil, dueSteps, needsCover, nextOf, readyAt } from './lifecycle.js'
import { rememberSecret } from './steps.js'
import { listKeys, updateCover, updateKey } from './store.js'

/** Makes what is missing, and seals under the present AUTH_SECRET what the previous one sealed. */
export async function startKeys(holder: KeyHolder, deps: KeysDeps): Promise<void> {
  await holder.change(async (tx) => {
    await rememberSecret(tx, holder.steps, deps.clock.now())
    for (const row of await listKeys(tx)) {
      const privateKeyCiphertext = holder.ring.resealed(row)
      if (privateKeyCiphertext) await updateKey(tx, row.kid, { privateKeyCiphertext })
    }
  }, true)
  requireSigner(holder)
  await extendCover(holder, deps)
}

/** Reads the table, and does what is due. */
export async function tickKeys(holder: KeyHolder, deps: KeysDeps): Promise<void> {
  await holder.reload()
  const due = dueSteps(holder.ring.rows(), deps.clock.now(), deps.schedule, false)
  if (holder.secretKid === undefined && due.length > 0) await holder.change(async () => {})
  await extendCover(holder, deps)
}

/** Whoever signs keeps the end of its key ahead of the end of what it signs. */
async function extendCover({ ring, signer }: KeyHolder, { db, clock, schedule }: KeysDeps): Promise<void> {
  const kid = signer()?.kid
  const row = ring.rows().find((candidate) => candidate.kid === kid)
  if (row === undefined || !needsCover(row, clock.now(), schedule.tokenTtlSeconds)) return
  await updateCover(db, row.kid, coveredUntil(clock.now(), schedule.tokenTtlSeconds))
}

export async function rotateKey(holder: KeyHolder, deps: KeysDeps, force: boolean): Promise<void> {
  if (holder.secretKid !== undefined) {
    throw new ApiError('invalid_request', { detail: 'JWT_SECRET signs: change that setting instead.' })
  }
  const now = deps.clock.now()
  await holder.change(async (tx) => {
    const next = nextOf(await listKeys(tx), now)
    if (next === undefined) throw unavailable(new Error('no next key'))
    const ready = readyAt(next, deps.schedule)
    if (!force && ready.getTime() > now) throw notReady(ready)
    const retiresAt = coveredUntil(now, deps.schedule.tokenTtlSeconds)
    await updateKey(tx, next.kid, { activeAt: new Date(now), retiresAt })
  })
}

function notReady(ready: Date): ApiError {
  return new ApiError('key_not_ready', { detail: `The next key is published long enough at ${ready.toISOString()}.` })
}

export async function revokeKey(holder: KeyHolder, { clock, events }: KeysDeps, kid: string): Promise<void> {
  await holder.change(async (tx) => {
    const row = (await listKeys(tx)).find((candidate) => candidate.kid === kid)
    if (row === undefined) throw new ApiError('not_found')
    if (row.revokedAt !== null) return
    await updateKey(tx, kid, { revokedAt: new Date(clock.now()) })
    await events.record(tx, undefined, { type: 'key_revoked', success: true, details: { kid } })
  })
}
