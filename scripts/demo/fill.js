import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

const BATCH = 2000
const DAY = 86_400_000

const iso = (time) => (time === undefined ? null : new Date(time).toISOString())

/** No password has this hash: nobody signs in as somebody of the demo. */
const NO_PASSWORD = `$2b$12$${randomBytes(16).toString('base64url').replaceAll(/[-_]/g, '.').slice(0, 22)}${'.'.repeat(31)}`

async function inBatches(rows, progress, label, insert) {
  for (let start = 0; start < rows.length; start += BATCH) {
    await insert(rows.slice(start, start + BATCH))
    progress(label, Math.min(start + BATCH, rows.length), rows.length)
  }
}

/** Writes all of it; what lies after `now` has not happened. `progress` is told of each batch. */
export async function fill(sql, { people, sessions, events, now, refreshKeyId }, progress) {
  const users = people.map(({ id, email, since, lastLogin }) => ({
    ...{ id, email, password_hash: NO_PASSWORD, created_at: iso(since), last_login: iso(lastLogin) }
  }))
  await inBatches(users, progress, 'users', (rows) => sql`insert into postern.users ${sql(rows)}`)

  const known = sessions.filter(({ endedAt = now }) => endedAt > now - DAY)
  const live = known.map(({ id, userId, place, at, refreshedAt, seenAt, endedAt, counter }) => ({
    ...{ id, user_id: userId, refresh_counter: counter, refresh_key_id: refreshKeyId, created_at: iso(at) },
    ...{ refreshed_at: iso(Math.min(refreshedAt, now)), last_seen_at: iso(Math.min(seenAt, now)) },
    ...{ expires_at: iso(at + 30 * DAY), ended_at: endedAt > now ? null : iso(endedAt) },
    ...{ ip_address: place.address, user_agent: place.agent }
  }))
  await inBatches(live, progress, 'sessions', (rows) => sql`insert into postern.sessions ${sql(rows)}`)

  const past = events.filter(({ at }) => at < now).sort((a, b) => a.at - b.at)
  await partitions(sql, past[0].at, now)
  const trail = past.map(({ at, type, userId, email, sessionId, address, agent, success, reason, details }) => ({
    ...{ id: uuidv7({ msecs: at }), event_type: type, user_id: userId ?? null, email: email ?? null },
    ...{ session_id: sessionId ?? null, ip_address: address ?? null, user_agent: agent ?? null, success },
    ...{ failure_reason: reason ?? null, request_id: address === undefined ? null : uuidv7({ msecs: at }) },
    ...{ created_at: iso(at), details: details === undefined ? null : JSON.stringify(details) }
  }))
  await inBatches(trail, progress, 'events', (rows) => sql`insert into postern.auth_events ${sql(rows)}`)
  await sql`analyze postern.users, postern.sessions, postern.auth_events`
}

async function partitions(sql, from, to) {
  await sql`select postern.ensure_event_partition(month::date) from generate_series(
    date_trunc('month', ${iso(from)}::timestamptz at time zone 'UTC'), ${iso(to)}::timestamptz at time zone 'UTC',
    interval '1 month') as month`
}
