import type { Db } from '../../plugins/database/index.js'
import { updateLastSeen } from './store.js'

/** A session is noted at most once in this time. */
export const STALE_SECONDS = 60
const GATHER_MS = 1000
const MAX_PENDING = 10_000
const MAX_BATCH = 500

/**
 * Notes in the background that sessions are in use. Best effort: nobody waits for it, a failure is forgotten, and
 * above its bound it drops what the next check of the session brings again.
 */
export function createLastSeen(db: Db): { note(sessionId: string): void; close(): void } {
  const pending = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  async function flush(): Promise<void> {
    const ids = [...pending].slice(0, MAX_BATCH)
    for (const id of ids) pending.delete(id)
    // A database that cannot take it has other worries, and the check that follows tells of them.
    await updateLastSeen(db, ids, STALE_SECONDS).catch(() => {})
    timer = undefined
    schedule()
  }

  /** One flush at a time: a slow database is not asked twice. */
  function schedule(): void {
    if (closed || timer !== undefined || pending.size === 0) return
    timer = setTimeout(flush, GATHER_MS).unref()
  }

  return {
    note(sessionId) {
      if (pending.size < MAX_PENDING) pending.add(sessionId)
      schedule()
    },
    close() {
      closed = true
      clearTimeout(timer)
    }
  }
}
