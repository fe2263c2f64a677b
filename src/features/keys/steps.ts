import type { Db } from '../../plugins/database/index.js'
import type { Events } from '../events/service.js'
import { coveredUntil, dueSteps, type Schedule, type Step } from './lifecycle.js'
import type { Ring } from './ring.js'
import { insertKey, type KeyRow, listKeys, updateKey } from './store.js'
import type { SigningKey } from './types.js'

export interface StepDeps {
  events: Pick<Events, 'record'>
  ring: Ring
  schedule: Schedule
  newKey(): Promise<SigningKey>
}

const later = (a: Date, b: Date): Date => (a > b ? a : b)

/** Does what is due, in the caller's transaction, which holds the lock. */
export async function takeDueSteps(tx: Db, deps: StepDeps, now: number, starting: boolean): Promise<void> {
  const rows = await listKeys(tx)
  for (const step of dueSteps(rows, now, deps.schedule, starting)) await takeStep(tx, deps, rows, step, now)
}

async function takeStep(tx: Db, deps: StepDeps, rows: readonly KeyRow[], step: Step, now: number): Promise<void> {
  const { events, schedule } = deps
  if (step.do === 'create') return await create(tx, deps, step.activeAt, now)
  const row = rows.find(({ kid }) => kid === step.kid)
  if (row === undefined) return
  const covered = (time: Date): Date => later(row.retiresAt, coveredUntil(time, schedule.tokenTtlSeconds))
  switch (step.do) {
    case 'activate':
      return await updateKey(tx, step.kid, { activeAt: step.at, retiresAt: covered(step.at) })
    case 'reschedule':
      return await updateKey(tx, step.kid, { activeAt: step.activeAt, retiresAt: covered(step.activeAt) })
    case 'withdraw':
      return await updateKey(tx, step.kid, { replacedAt: new Date(now), retiresAt: new Date(now) })
    case 'replace':
      await updateKey(tx, step.kid, { replacedAt: step.at, retiresAt: covered(step.at) })
      await events.record(tx, undefined, {
        type: 'key_rotated',
        success: true,
        details: { from: step.kid, to: step.by }
      })
  }
}

async function create(tx: Db, deps: StepDeps, activeAt: Date, now: number): Promise<void> {
  const { events, ring, schedule, newKey } = deps
  const key = await newKey()
  await insertKey(tx, {
    kid: key.kid,
    algorithm: key.algorithm,
    publicJwk: key.publicJwk ? { ...key.publicJwk } : null,
    privateKeyCiphertext: ring.sealKey(key),
    createdAt: new Date(now),
    activeAt,
    retiresAt: coveredUntil(activeAt, schedule.tokenTtlSeconds)
  })
  const details = { kid: key.kid, algorithm: key.algorithm, active_at: activeAt.toISOString() }
  await events.record(tx, undefined, { type: 'key_created', success: true, details })
}

/**
 * Remembers the key of JWT_SECRET, so that its tokens are good until they expire when the setting is gone, and on an
 * instance that has another.
 */
export async function rememberSecret(tx: Db, { events, ring, schedule }: StepDeps, now: number): Promise<void> {
  const key = ring.secretKey
  if (key === undefined) return
  const inserted = await insertKey(tx, {
    kid: key.kid,
    algorithm: 'HS256',
    privateKeyCiphertext: ring.sealKey(key),
    createdAt: new Date(now),
    activeAt: new Date(now),
    retiresAt: coveredUntil(now, schedule.tokenTtlSeconds)
  })
  if (!inserted) return
  const details = { kid: key.kid, algorithm: key.algorithm }
  await events.record(tx, undefined, { type: 'key_created', success: true, details })
}
