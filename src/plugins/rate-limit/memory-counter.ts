/** How many attempts a window has had, this one included, and when it ends. */
export interface Count {
  used: number
  /** Milliseconds, above 0. */
  resetMs: number
}

/** Counts one attempt. Must be atomic: of several calls at once no two get the same number. May reject. */
export type Counter = (key: string) => Count | Promise<Count>

/** Makes the counter of one policy. The name keeps the policies apart where they share a store. */
export type CounterFactory = (policy: { name: string; windowMs: number }) => Counter

interface Window {
  used: number
  startedAtMs: number
}

/**
 * What is kept of each policy, some 20 MB at most. A flood from more addresses than this within one window pushes the oldest windows
 * out, and their addresses start again at 0. That gains an attacker nothing: each of those addresses
 * could make its own attempts anyway.
 */
const CAPACITY = 100_000

/**
 * A counter for one process. The window of a key begins with its first attempt and is not moved by later ones,
 * refused ones included. Windows are of one length, so the order of insertion is the order in which they end.
 */
export function memoryCounter(windowMs: number, now: () => number, capacity = CAPACITY): Counter {
  const windows = new Map<string, Window>()

  /** Also true when the clock was set back, lest a window last until the clock has caught up. */
  function isOver({ startedAtMs }: Window, at: number): boolean {
    return at < startedAtMs || at - startedAtMs >= windowMs
  }

  function makeRoom(at: number): void {
    for (const [key, window] of windows) {
      if (windows.size < capacity && !isOver(window, at)) return
      windows.delete(key)
    }
  }

  function open(key: string, at: number): Window {
    windows.delete(key)
    makeRoom(at)
    const window = { used: 0, startedAtMs: at }
    windows.set(key, window)
    return window
  }

  return (key) => {
    const at = now()
    const known = windows.get(key)
    const window = known === undefined || isOver(known, at) ? open(key, at) : known
    window.used += 1
    return { used: window.used, resetMs: window.startedAtMs + windowMs - at }
  }
}
