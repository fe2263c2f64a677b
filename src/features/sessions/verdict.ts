import type { RefreshLimits, SessionState } from './rows.js'

/**
 * What a genuine refresh token is worth:
 * - `current`: the newest one. `repeat`: the one before, within the reuse interval (two tabs, a lost answer)
 * - `reused`: replaced for good, so it may have been copied
 * - `ahead`: never given out; it is known only where the database was set back
 * - `over`, `expired`, `inactive`: the session, its time, or its user is no more
 */
export type Verdict = 'current' | 'repeat' | 'reused' | 'ahead' | 'over' | 'expired' | 'inactive'

/** Judges the token with this counter. Reuse is told before an inactive user: the session may not come back with him. */
export function judge(session: SessionState, counter: number, { reuseIntervalSeconds }: RefreshLimits): Verdict {
  if (session.isEnded) return session.isActive ? 'over' : 'inactive'
  if (session.isExpired || session.isIdle) return 'expired'
  if (counter > session.counter) return 'ahead'
  const isRepeat = counter === session.counter - 1 && session.isFresh && reuseIntervalSeconds > 0
  if (counter < session.counter && !isRepeat) return 'reused'
  if (!session.isActive) return 'inactive'
  return isRepeat ? 'repeat' : 'current'
}
