/** What this process knows of the attempts of one key within one window. */
export interface Window {
  /** What the shared count had when it last answered; 0 where there is none. */
  shared: number
  /** Attempts that only this process has counted. */
  alone: number
  /** Of these, the ones that are on their way into the shared count. */
  reported: number
  startedAtMs: number
}

export interface Windows {
  /** The window of the key that runs at this moment; a new one begins now. */
  of(key: string): Window
  /** Milliseconds until the window ends, above 0. */
  resetMs(window: Window): number
  /** Has the window end in so many milliseconds, not more than its length. */
  endIn(window: Window, resetMs: number): void
}

/**
 * What is kept of each policy, some 20 MB at most. A flood from more addresses than this within one window pushes the oldest windows
 * out, and their addresses start again at 0. That gains an attacker nothing: each of those addresses
 * could make its own attempts anyway.
 */
const CAPACITY = 100_000

/**
 * The windows of one policy. The window of a key begins with its first attempt and is not moved by later ones,
 * refused ones included. Windows are of one length, so the order of insertion is, within a little, the order in which they end.
 */
export function createWindows(windowMs: number, now: () => number, capacity = CAPACITY): Windows {
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
    const window = { shared: 0, alone: 0, reported: 0, startedAtMs: at }
    windows.set(key, window)
    return window
  }

  return {
    of(key) {
      const at = now()
      const known = windows.get(key)
      return known === undefined || isOver(known, at) ? open(key, at) : known
    },
    resetMs: ({ startedAtMs }) => Math.max(1, startedAtMs + windowMs - now()),
    endIn(window, resetMs) {
      window.startedAtMs = now() + resetMs - windowMs
    }
  }
}
