import type { Db } from '../../plugins/database/index.js'
import { deleteOver } from './store.js'

/** For so long it can still be told from an event whose session it was. A token of a swept one is refused alike. */
const KEEP_SECONDS = 86_400
const BITE = 500
const EVERY_MS = 10 * 60_000

/**
 * Deletes sessions that have been over for a day, in short statements that wait for no lock, so that nobody waits
 * for them for long. Several instances may sweep at once. Returns how many went.
 */
export async function sweepSessions(db: Db, shouldStop: () => boolean = () => false): Promise<number> {
  let swept = 0
  for (const cause of ['ended', 'expired'] as const) {
    let bite = BITE
    while (bite === BITE && !shouldStop()) {
      bite = await deleteOver(db, cause, { keepSeconds: KEEP_SECONDS, limit: BITE })
      swept += bite
    }
  }
  return swept
}

interface Sweeper {
  start(): void
  /** Resolves when no statement of it is under way. */
  stop(): Promise<void>
}

/** Sweeps every ten minutes or so: the jitter keeps instances that were started together apart. */
export function createSweeper(db: Db, onError: (error: unknown) => void): Sweeper {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()
  let stopped = false

  function schedule(): void {
    if (stopped) return
    timer = setTimeout(
      () => {
        running = sweepSessions(db, () => stopped)
          .catch(onError)
          .then(schedule)
      },
      EVERY_MS * (0.5 + Math.random())
    ).unref()
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
