import { link } from './router.js'

/** What of the trail is about logging in, and what kept somebody from it. */
export const LOGINS = ['login']
export const LIMITS = ['rate_limited', 'account_throttled']

/** The parts of a bar, the lowest first; each with the filter of the list behind it. */
export const OUTCOMES = [
  { name: 'succeeded', title: 'succeeded', filter: { type: 'login', success: 'true' } },
  { name: 'wrong_password', title: 'wrong password', filter: { type: 'login', reason: 'wrong_password' } },
  { name: 'unknown_email', title: 'unknown email', filter: { type: 'login', reason: 'unknown_email' } },
  { name: 'inactive_account', title: 'inactive account', filter: { type: 'login', reason: 'inactive_account' } },
  { name: 'invalid_request', title: 'invalid request', filter: { type: 'login', reason: 'invalid_request' } },
  { name: 'overloaded', title: 'overloaded', filter: { type: 'login', reason: 'overloaded' } },
  { name: 'account_throttled', title: 'throttled', filter: { type: 'account_throttled' } },
  { name: 'rate_limited', title: 'rate limited', filter: { type: 'rate_limited' } }
]

/** The answers of those counts that are what `wanted` says. */
export function sum(counts, wanted) {
  const fits = (row) => Object.entries(wanted).every(([name, value]) => row[name] === value)
  return counts.reduce((all, row) => (fits(row) ? all + row.answers : all), 0)
}

function outcomesOf(counts) {
  return Object.fromEntries(
    OUTCOMES.map(({ name, filter: { type, success, reason } }) => {
      const wanted = { event_type: type, ...(success && { success: true }), ...(reason && { failure_reason: reason }) }
      return [name, sum(counts, wanted)]
    })
  )
}

const MARKS = [
  { kind: 'rotation', type: 'key_rotated', one: 'key rotated', many: 'key rotations' },
  { kind: 'restart', type: 'service_started', one: 'service started', many: 'starts of the service' }
]

function marksOf(counts, span) {
  return MARKS.flatMap(({ kind, type, one, many }) => {
    const number = sum(counts, { event_type: type, success: true })
    const filter = link('events', {
      type,
      from: new Date(span.from).toISOString(),
      to: new Date(span.to).toISOString()
    })
    return number === 0 ? [] : [{ kind, filter, text: number === 1 ? one : `${number} ${many}` }]
  })
}

/** Every bucket of the window, in order: the service leaves out those in which nothing happened. */
export function bucketsOf({ from, to, bucket_seconds: seconds, buckets }) {
  const known = new Map(buckets.map(({ at, counts }) => [Date.parse(at), counts]))
  const length = seconds * 1000
  const all = []
  for (let at = Date.parse(from); at < Date.parse(to); at += length) {
    const span = { from: at, to: at + length }
    const counts = known.get(at) ?? []
    all.push({ ...span, counts: outcomesOf(counts), marks: marksOf(counts, span) })
  }
  return all
}
