import { LEEWAY_SECONDS } from '../../lib/token-leeway.js'
import type { Algorithm, AsymmetricAlgorithm, KeyState, KeyTimes } from './types.js'

/** How far the clocks of two instances may be apart without a key retiring while another still signs with it. */
const SKEW_SECONDS = 60

export interface Schedule {
  algorithm: AsymmetricAlgorithm
  rotationSeconds: number
  publishAheadSeconds: number
  tokenTtlSeconds: number
}

/** One step that is due. `create` makes a key, the others change times of the named one. */
export type Step =
  | { do: 'create'; activeAt: Date }
  | { do: 'activate'; kid: string; at: Date }
  | { do: 'reschedule'; kid: string; activeAt: Date }
  | { do: 'withdraw'; kid: string }
  | { do: 'replace'; kid: string; by: string; at: Date }

const after = (time: number | Date, seconds: number): Date => new Date(Number(time) + seconds * 1000)
const latest = (...times: (number | Date)[]): Date => new Date(Math.max(...times.map(Number)))

/** Until when a key must be kept that signs at `time`: its last token has expired on every clock by then. */
export function coveredUntil(time: number | Date, tokenTtlSeconds: number): Date {
  return after(time, tokenTtlSeconds + LEEWAY_SECONDS + 2 * SKEW_SECONDS)
}

/** Half of the slack is used up: move `retiresAt` ahead. So it is written about once a minute, whoever signs. */
export function needsCover(key: KeyTimes, now: number, tokenTtlSeconds: number): boolean {
  return key.retiresAt < after(now, tokenTtlSeconds + LEEWAY_SECONDS + SKEW_SECONDS)
}

const isAsymmetric = (key: KeyTimes): boolean => key.algorithm !== ('HS256' satisfies Algorithm)

/** A clock that is behind has to go on with a key that one ahead has marked as replaced: its successor waits still. */
const inTurn = (key: KeyTimes, now: number): boolean =>
  isAsymmetric(key) && key.revokedAt === null && (key.replacedAt === null || Number(key.replacedAt) > now)

/** The asymmetric key that signs: the one that became active last. Undefined before the first. */
export function signerOf<Key extends KeyTimes>(keys: readonly Key[], now: number): Key | undefined {
  return keys
    .filter((key) => inTurn(key, now) && Number(key.activeAt) <= now)
    .sort((a, b) => Number(b.activeAt) - Number(a.activeAt) || (a.kid < b.kid ? 1 : -1))[0]
}

/** The keys that are published and do not sign yet, in the order of their turns. One, but for clocks that disagree. */
export function waiting<Key extends KeyTimes>(keys: readonly Key[], now: number): Key[] {
  return keys
    .filter((key) => inTurn(key, now) && Number(key.activeAt) > now)
    .sort((a, b) => Number(a.activeAt) - Number(b.activeAt))
}

/** The key that will sign next. */
export function nextOf<Key extends KeyTimes>(keys: readonly Key[], now: number): Key | undefined {
  return waiting(keys, now)[0]
}

/** From when a rotation to this key surprises no verifier that keeps the key set for as long as was promised. */
export function readyAt(key: KeyTimes, schedule: Schedule): Date {
  return after(key.createdAt, schedule.publishAheadSeconds)
}

/** The state of one of `keys`. `secretKid` is the key that JWT_SECRET makes current on this instance. */
export function stateOf(key: KeyTimes, keys: readonly KeyTimes[], now: number, secretKid?: string): KeyState {
  if (key.revokedAt !== null) return 'revoked'
  if (key.kid === secretKid) return 'current'
  if (inTurn(key, now) && Number(key.activeAt) > now) return 'next'
  // Where JWT_SECRET signs a key pair has no turn: it retires with its last token, unless another instance signs with it.
  if (secretKid === undefined && key.kid === signerOf(keys, now)?.kid) return 'current'
  // A key whose turn ended a moment ago, as this clock sees it, may not be marked as replaced yet.
  return Number(key.retiresAt) > now ? 'previous' : 'retired'
}

/**
 * What is due, in the order in which it has to be done; empty almost always. At its start an instance also brings a
 * waiting key in line with its settings: only then, or instances with two settings would undo each other's work.
 */
export function dueSteps(keys: readonly KeyTimes[], now: number, schedule: Schedule, starting: boolean): Step[] {
  const signer = signerOf(keys, now)
  if (signer === undefined) return withoutSigner(waiting(keys, now), now, schedule)
  const replaced = keys.filter((key) => isOutdone(key, signer))
  const steps = replaced.map(({ kid }): Step => ({ do: 'replace', kid, by: signer.kid, at: signer.activeAt }))
  return [...steps, ...stepsForNext(signer, nextOf(keys, now), now, schedule, starting)]
}

/** It had its turn before the signer's, and nobody has marked it yet. */
function isOutdone(key: KeyTimes, signer: KeyTimes): boolean {
  const unmarked = isAsymmetric(key) && key.revokedAt === null && key.replacedAt === null
  return unmarked && key.kid !== signer.kid && key.activeAt <= signer.activeAt
}

function withoutSigner([next, ...others]: KeyTimes[], now: number, schedule: Schedule): Step[] {
  return next === undefined ? firstKeys(now, schedule) : takeOver(next, others.length > 0, now, schedule)
}

/** Nothing that was published can sign, so the first key signs at once. */
function firstKeys(now: number, schedule: Schedule): Step[] {
  const activeAt = new Date(now)
  return [
    { do: 'create', activeAt },
    { do: 'create', activeAt: turnAfter(activeAt, now, schedule) }
  ]
}

/** The signer was revoked; or another instance, whose clock is ahead, has made the first keys a moment ago. */
function takeOver(next: KeyTimes, hasSuccessor: boolean, now: number, schedule: Schedule): Step[] {
  const activate: Step = { do: 'activate', kid: next.kid, at: new Date(now) }
  return hasSuccessor ? [activate] : [activate, { do: 'create', activeAt: turnAfter(new Date(now), now, schedule) }]
}

function stepsForNext(
  signer: KeyTimes,
  next: KeyTimes | undefined,
  now: number,
  schedule: Schedule,
  starting: boolean
): Step[] {
  if (next === undefined) return [{ do: 'create', activeAt: turn(signer, now, schedule) }]
  if (!starting) return []
  if (next.algorithm !== schedule.algorithm) {
    // On a clock that is ahead it may sign already.
    if (next.activeAt <= after(now, SKEW_SECONDS)) return []
    return [
      { do: 'withdraw', kid: next.kid },
      { do: 'create', activeAt: turn(signer, now, schedule) }
    ]
  }
  const activeAt = latest(turn(signer, Number(next.createdAt), schedule), now)
  return Number(activeAt) === Number(next.activeAt) ? [] : [{ do: 'reschedule', kid: next.kid, activeAt }]
}

/** When a key published at `publishedAt` takes over: by schedule, or soon when the setting asks for another algorithm. */
function turn(signer: KeyTimes, publishedAt: number, schedule: Schedule): Date {
  if (signer.algorithm !== schedule.algorithm) return after(publishedAt, schedule.publishAheadSeconds)
  return turnAfter(signer.activeAt, publishedAt, schedule)
}

function turnAfter(signerActiveAt: Date, publishedAt: number, schedule: Schedule): Date {
  return latest(after(signerActiveAt, schedule.rotationSeconds), after(publishedAt, schedule.publishAheadSeconds))
}
