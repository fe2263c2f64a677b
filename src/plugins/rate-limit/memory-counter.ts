import { createWindows } from './windows.js'

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

/** A counter for one process. */
export function memoryCounter(windowMs: number, now: () => number, capacity?: number): Counter {
  const windows = createWindows(windowMs, now, capacity)
  return (key) => {
    const window = windows.of(key)
    window.alone += 1
    return { used: window.alone, resetMs: windows.resetMs(window) }
  }
}
