import { urlOf } from './api.js'

/** Between the quotes of SQL; what comes out of a URL can be anything. */
const quoted = (text) => `'${text.replaceAll("'", "''")}'`

const CONDITIONS = {
  type: (value) => `event_type = ${quoted(value)}`,
  success: (value) => (value === 'true' ? 'success' : 'NOT success'),
  reason: (value) => `failure_reason = ${quoted(value)}`,
  ip: (value) => (value.includes('/') ? `ip_address <<= ${quoted(value)}::inet` : `ip_address = ${quoted(value)}`),
  email: (value) =>
    value.startsWith('ref_')
      ? `email = :'email' -- hidden here: psql -v email=…`
      : `email = ${quoted(value.toLowerCase())}`,
  user_id: (value) => `user_id = ${quoted(value)}`,
  from: (value) => `created_at >= ${quoted(value)}`,
  to: (value) => `created_at < ${quoted(value)}`
}

/** The same list for psql. */
export function asSql(filter) {
  const conditions = Object.entries(filter).map(([name, value]) => CONDITIONS[name](value))
  const where = conditions.length > 0 ? `WHERE ${conditions.join('\n  AND ')}\n` : ''
  return `SELECT * FROM postern.auth_events\n${where}ORDER BY created_at DESC, id DESC\nLIMIT 100;\n`
}

/** All of it as NDJSON. The token is not part of it: it would lie in the history of a shell. */
export function asCurl(filter, origin) {
  const url = `${origin}${urlOf('/events', filter)}`.replaceAll("'", '%27')
  return `curl -sS -H "Authorization: Bearer $TOKEN" -H 'Accept: application/x-ndjson' '${url}'\n`
}
