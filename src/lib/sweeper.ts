export interface Sweeper {
  /** From now on it sweeps; more calls change nothing. */
  start(): void
  /** Resolves when nothing of it is under way. */
  stop(): Promise<void>
}

interface SweeperOptions {
  /** On average: the jitter keeps instances that were started together apart. */
  everyMs: number
  /** To be asked between two bites. */
  sweep(shouldStop: () => boolean): Promise<unknown>
  onError(error: unknown): void
}

const BITE = 500

/** Deletes now and then what is over. It does not keep the process alive. */
export function createSweeper({ everyMs, sweep, onError }: SweeperOptions): Sweeper {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let stopped = false

  function schedule(): void {
    if (stopped) return
    const run = () => {
      running = sweep(() => stopped)
        .catch(onError)
        .then(schedule)
    }
    timer = setTimeout(run, everyMs * (0.5 + Math.random())).unref()
  }

  return {
    start() {
      if (timer === undefined) schedule()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    }
  }
}

/**
 * Calls `bite` with how many rows it may delete, until it deletes fewer, so that each statement is short and nobody
 * waits for it for long. Returns how many went.
 */
export async function sweepInBites(
  bite: (limit: number) => Promise<number>,
  shouldStop: () => boolean = () => false
): Promise<number> {
  let swept = 0
  let last = BITE
  while (last === BITE && !shouldStop()) {
    last = await bite(BITE)
    swept += last
  }
  return swept
}
