import { ask, problemOf } from './problem.js'

/**
 * Who is signed in to this tab. The tokens are kept in sessionStorage: a reload keeps them, another tab does not see them, and
 * they are gone with the tab. In localStorage they would lie on the disk for whoever sits down next; in a variable alone each
 * reload would cost one of five sign-ins a minute. Script from elsewhere could read either; the content policy is
 * what keeps it out.
 */
const KEY = 'postern.session'
/** Earlier than it has to be: clocks differ. */
const AHEAD_SECONDS = 30
const HANDOVER_MS = 800

let session
let refreshing
const listeners = new Set()

/** Called whenever nobody is signed in any more; `reason` says why. */
export function onEnd(listener) {
  listeners.add(listener)
}

export const current = () => session

function change(next) {
  session = next
  sessionStorage.setItem(KEY, JSON.stringify(next))
}

function fromAnswer(answer, id) {
  const { user_id: userId, email, token, expires_in: expiresIn, refresh_token: refreshToken } = answer
  const renewAt = Date.now() + Math.max(expiresIn - AHEAD_SECONDS, expiresIn / 2) * 1000
  return { id, userId, email, token, renewAt, refreshToken, sessionId: claimsOf(token).sid }
}

function claimsOf(token) {
  const [, payload = ''] = token.split('.')
  return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
}

/**
 * Takes up what this tab had before a reload. A duplicated tab gets a copy of it, and two that refresh one session look like
 * theft: so a tab holds a lock for as long as it lives, and a copy that does not get it lets go.
 */
export async function restore() {
  const found = stored()
  if (found === undefined) return
  if (await hold(found.id)) session = found
  else forget('This tab is a copy: the other one is still signed in.')
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? undefined
  } catch {
    return undefined
  }
}

async function hold(id) {
  if (navigator.locks === undefined) return true
  return await new Promise((resolve) => {
    navigator.locks
      .request(`postern.${id}`, { signal: AbortSignal.timeout(HANDOVER_MS) }, () => {
        resolve(true)
        return new Promise(() => {})
      })
      .catch(() => resolve(false))
  })
}

/** Signs in with what `/auth/login`, or the setup, has answered. */
export async function begin(answer) {
  const id = crypto.getRandomValues(new Uint32Array(4)).join('-')
  await hold(id)
  change(fromAnswer(answer, id))
}

export function end(reason) {
  if (session !== undefined) forget(reason)
}

function forget(reason) {
  session = undefined
  sessionStorage.removeItem(KEY)
  for (const listener of listeners) listener(reason)
}

/** The access token to send now. Undefined when nobody is signed in any more. */
export async function token() {
  if (session !== undefined && session.renewAt < Date.now()) await renew()
  return session?.token
}

/** Once, however many ask for it at the same time. False when the session is over; rejects when that cannot be known. */
export async function renew() {
  refreshing ??= refresh().finally(() => {
    refreshing = undefined
  })
  return await refreshing
}

async function refresh() {
  const { id, refreshToken } = session ?? {}
  if (refreshToken === undefined) return false
  const answer = await ask('/auth/refresh', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ refresh_token: refreshToken })
  })
  if (answer.status === 401) {
    end('Your session has ended. Sign in again.')
    return false
  }
  if (!answer.ok) throw await problemOf(answer)
  change(fromAnswer(await answer.json(), id))
  return true
}

/** Ends the session for the service too, before this tab forgets it. */
export async function signOut() {
  const { token: bearer } = session ?? {}
  if (bearer !== undefined) {
    const headers = { authorization: `Bearer ${bearer}` }
    await ask('/auth/logout', { method: 'POST', headers }).catch(() => undefined)
  }
  end('You are signed out.')
}
