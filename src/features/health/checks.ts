import type { Check, CheckResult } from './service.js'

/** `/readyz` turns within 2 s of the database's end, also when that hangs without closing a connection. */
const PING_DEADLINE_MS = 1000

/** The database answers one query in time. */
export function databaseCheck(ping: () => Promise<void>, deadlineMs = PING_DEADLINE_MS): Check {
  return async () => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<CheckResult>((resolve) => {
      timer = setTimeout(resolve, deadlineMs, { ok: false, detail: `no answer within ${deadlineMs} ms` })
    })
    const answer = ping().then(
      () => ({ ok: true, detail: 'answers' }),
      () => ({ ok: false, detail: 'cannot be reached' })
    )
    return Promise.race([answer, late]).finally(() => clearTimeout(timer))
  }
}

/** The migrations run before the database is first `ready`, and are not undone by its going away. */
export function migrationsCheck(state: () => string): Check {
  let applied = false
  return () => {
    applied ||= state() === 'ready'
    return { ok: applied, detail: applied ? 'applied' : 'not applied yet' }
  }
}

/** There is a key to sign with. */
export function signingKeyCheck(current: () => unknown): Check {
  return () => {
    try {
      current()
      return { ok: true, detail: 'loaded' }
    } catch {
      return { ok: false, detail: 'not loaded yet' }
    }
  }
}
