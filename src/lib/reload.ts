/**
 * Shares a load between all who ask for it. Each caller gets a load that begins after it asked, so it sees what was
 * committed before; at most one runs at a time, and at least `gapMs` pass between two beginnings, so a flood of
 * callers costs a bounded number of loads and none of them piles up.
 */
export function createReload(load: () => Promise<void>, gapMs: number): () => Promise<void> {
  let running: Promise<void> = Promise.resolve()
  let gap: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined

  return () => {
    waiting ??= Promise.all([running.catch(() => {}), gap]).then(() => {
      waiting = undefined
      gap = new Promise((resolve) => setTimeout(resolve, gapMs))
      running = load()
      return running
    })
    return waiting
  }
}
