import type { Count, Counter } from './memory-counter.js'
import { createWindows, type Window } from './windows.js'

/** One attempt, and what this process knows of those before it. */
export interface Attempt {
  key: string
  windowMs: number
  /** The shared count is not below this before the attempt is added. */
  known: number
  /** Attempts that the shared count has not heard of. */
  missed: number
  /** When a window that begins by this attempt ends. */
  resetMs: number
}

/**
 * Counts an attempt for all processes, in one atomic step. Undefined: it cannot at the moment, and nothing was counted. Never rejects,
 * and decides attempts in the order in which they were made.
 */
export type SharedCount = (attempt: Attempt) => Promise<Count | undefined> | undefined

interface Policy {
  name: string
  windowMs: number
  now: () => number
}

/**
 * A counter for all processes that falls back to one for this process, with the same numbers. Neither change of mode
 * gives a fresh allowance: the last shared number is remembered, and what was counted alone is reported with the next
 * attempt. So a store that comes back empty is filled again, too.
 */
export function sharedCounter({ name, windowMs, now }: Policy, count: SharedCount): Counter {
  const windows = createWindows(windowMs, now)

  function countAlone(window: Window): Count {
    window.alone += 1
    return { used: window.shared + window.alone, resetMs: windows.resetMs(window) }
  }

  return async (key) => {
    const window = windows.of(key)
    const known = window.shared + window.alone
    const missed = window.alone - window.reported
    const resetMs = known > 0 ? windows.resetMs(window) : windowMs
    const answer = count({ key: `${name}:${key}`, windowMs, known, missed, resetMs })
    if (answer === undefined) return countAlone(window)

    window.reported += missed
    const shared = await answer
    window.reported -= missed
    if (shared === undefined) return countAlone(window)
    window.alone -= missed
    window.shared = Math.max(window.shared, shared.used)
    windows.endIn(window, shared.resetMs)
    // What was counted alone while this one was on its way came before it.
    return { used: shared.used + window.alone, resetMs: shared.resetMs }
  }
}
