import { ApiError, unavailable } from '../../errors.js'
import { type KeyHolder, type KeysDeps, requireSigner } from './holder.js'
import { coveredUntil, dueSteps, needsCover, nextOf, readyAt, signerOf } from './lifecycle.js'
import { rememberSecret } from './steps.js'
import { type KeyRow, listKeys, updateCover, updateKey } from './store.js'
import type { KeyAuthor } from './types.js'

/** Makes what is missing, and seals under the present AUTH_SECRET what the previous one sealed. */
export async function startKeys(holder: KeyHolder, deps: KeysDeps): Promise<void> {
  const prepare: Parameters<KeyHolder['change']>[0] = async (tx) => {
    await rememberSecret(tx, holder.steps, deps.clock.now())
    for (const row of await listKeys(tx)) {
      const privateKeyCiphertext = holder.ring.resealed(row)
      if (privateKeyCiphertext) await updateKey(tx, row.kid, { privateKeyCiphertext })
    }
  }
  await holder.change(prepare, { starting: true })
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

/** Returns the kid that signed until now, if there was one, and the one that signs from now on. */
export async function rotateKey(
  holder: KeyHolder,
  deps: KeysDeps,
  { force, author }: { force: boolean; author: KeyAuthor | undefined }
) {
  if (holder.secretKid !== undefined) {
    throw new ApiError('invalid_request', { detail: 'JWT_SECRET signs: change that setting instead.' })
  }
  const { clock, schedule } = deps
  const rotated = { from: '', to: '' }
  await holder.change(
    async (tx) => {
      const now = clock.now()
      const rows = await listKeys(tx)
      const next = readyNext(holder, rows, deps, force)
      rotated.from = signerOf(rows, now)?.kid ?? ''
      rotated.to = next.kid
      const retiresAt = coveredUntil(now, schedule.tokenTtlSeconds)
      await updateKey(tx, next.kid, { activeAt: new Date(now), retiresAt })
    },
    { newKeys: 1, author }
  )
  return rotated
}

function readyNext({ ring }: KeyHolder, rows: KeyRow[], { clock, schedule }: KeysDeps, force: boolean): KeyRow {
  const next = nextOf(rows, clock.now())
  if (next === undefined || !ring.opens(next)) throw unavailable(new Error('there is no next key that could sign'))
  const ready = readyAt(next, schedule)
  if (force || ready.getTime() <= clock.now()) return next
  throw new ApiError('key_not_ready', { detail: `The next key is published long enough at ${ready.toISOString()}.` })
}

export async function revokeKey(
  holder: KeyHolder,
  { clock, events }: KeysDeps,
  { kid, author }: { kid: string; author: KeyAuthor | undefined }
): Promise<void> {
  await holder.change(
    async (tx) => {
      const row = (await listKeys(tx)).find((candidate) => candidate.kid === kid)
      if (row === undefined) throw new ApiError('not_found')
      if (row.revokedAt !== null) return await author?.recordRepeat(tx)
      await updateKey(tx, kid, { revokedAt: new Date(clock.now()) })
      const event = { type: 'key_revoked', success: true, details: { kid } } as const
      await (author === undefined ? events.record(tx, undefined, event) : author.record(tx, event))
    },
    { newKeys: 1, author }
  )
}
