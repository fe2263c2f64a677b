import type { Check } from './service.js'

/**
 * As its probe found it less than two seconds ago, on a connection of its own: a pool that is merely busy is no outage, and
 * a slow minute must not take every instance out of rotation.
 */
export function databaseCheck(state: () => string): Check {
  return () => (state() === 'ready' ? { ok: true, detail: 'answers' } : { ok: false, detail: 'cannot be used' })
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
