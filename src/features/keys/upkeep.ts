/** Well below the second within which a revocation has to be known everywhere. */
const INTERVAL_MS = 400

interface Log {
  debug(details: object, message: string): void
}

/** Calls `tick` again and again, one call at a time, so that nothing piles up while the database is away. */
export function createUpkeep(tick: () => Promise<void>, log: Log) {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  let stopped = false

  async function round(): Promise<void> {
    try {
      await tick()
    } catch (error) {
      // A check of a token reads the keys again by itself, and refuses when it cannot.
      log.debug({ err: error }, 'the signing keys could not be read')
    }
    schedule()
  }

  function schedule(): void {
    if (stopped) return
    timer = setTimeout(() => {
      running = round()
    }, INTERVAL_MS)
    timer.unref()
  }

  return {
    /** Calling it again changes nothing. */
    start(): void {
      if (timer === undefined) schedule()
    },

    /** Resolves when no call is under way. */
    async stop(): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await running
    }
  }
}
