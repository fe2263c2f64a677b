import { ask, Problem, problemOf } from './problem.js'
import * as session from './session.js'

/** Whether emails are to be whole. Each call that asks for them says so, and the service writes that down. */
export const emails = { shown: false }

/** Rejects with a {@link Problem}. `params` without a value are left out. */
export async function get(path, params = {}, { signal } = {}) {
  return await (await call('GET', path, { params, signal })).json()
}

export async function send(method, path, { params, body } = {}) {
  const answer = await call(method, path, { params, body })
  return answer.status === 204 ? undefined : await answer.json()
}

/** The answer as it comes, for what is too long to wait for. */
export async function stream(path, params, { signal, accept } = {}) {
  return await call('GET', path, { params, signal, headers: accept === undefined ? {} : { accept } })
}

/** Whether it shows emails is said by every call that could. */
const SHOWS_EMAILS = /^\/(?:users(?:\/[^/]+)?|events(?:\/live)?|insights)$/

/** The URL of a call, on this origin. */
export function urlOf(path, params = {}) {
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== '')
  const query = new URLSearchParams(given)
  return `/admin/api${path}${query.size > 0 ? `?${query}` : ''}`
}

async function call(method, path, { params = {}, body, headers = {}, signal } = {}) {
  const shows = SHOWS_EMAILS.test(path) ? { emails: emails.shown ? 'shown' : 'masked' } : {}
  const url = urlOf(path, { ...params, ...shows })
  const options = { method, headers: { ...headers }, signal }
  if (body !== undefined) {
    options.headers['content-type'] = 'application/json'
    options.body = JSON.stringify(body)
  }
  const answer = await authorized(url, options)
  if (answer.ok) return answer
  throw await problemOf(answer)
}

/** A token can be refused before its time, such as when its key was revoked: the session goes on with another. */
async function authorized(url, options) {
  const first = await attempt(url, options)
  if (first.status !== 401) return first
  const second = (await session.renew()) ? await attempt(url, options) : first
  if (second.status === 401) session.end('Your session has ended. Sign in again.')
  return second
}

async function attempt(url, options) {
  const token = await session.token()
  if (token === undefined) throw new Problem({ status: 401, code: 'signed_out', detail: 'You are signed out.' })
  return await ask(url, { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } })
}
