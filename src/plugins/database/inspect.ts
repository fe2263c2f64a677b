import type postgres from 'postgres'
import { appliedIn, migrations, timeOf } from './migrate.js'

export interface ServerFacts {
  version: string
  /** As PostgreSQL counts: 170002. */
  versionNumber: number
  encoding: string
  database: string
  role: string
  /** Whether that role may do everything in the whole server. */
  superuser: boolean
  /** A standby takes no writes. */
  standby: boolean
  /** Over a network, as far as the server knows. False for a unix socket and for this machine itself. */
  remote: boolean
  /** Whether the server's own connection is encrypted. */
  encrypted: boolean
  /** Something between gives each transaction a session of its choice. */
  pooled: boolean
}

/** What a server says of itself. Rejects as the driver does. */
export async function inspectServer(sql: postgres.Sql): Promise<ServerFacts> {
  const rows = await sql.unsafe(`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
      current_setting('server_encoding') as encoding, current_database() as database, current_user as role,
      coalesce((select rolsuper from pg_roles where rolname = current_user), false) as superuser,
      pg_is_in_recovery() as standby, pg_backend_pid() as pid,
      coalesce(not inet_client_addr() <<= '127.0.0.0/8' and inet_client_addr() <> '::1'
        and inet_client_addr() <> inet_server_addr(), false) as remote,
      coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as encrypted`)
  const row: Record<string, unknown> = rows[0] ?? {}
  return {
    version: String(row.version),
    versionNumber: Number(row.number),
    encoding: String(row.encoding),
    database: String(row.database),
    role: String(row.role),
    superuser: row.superuser === true,
    standby: row.standby === true,
    remote: row.remote === true,
    encrypted: row.encrypted === true,
    pooled: rows.state.pid !== row.pid
  }
}

export interface MigrationFacts {
  applied: number
  missing: number
  /** A later version has taken away what this program needs. */
  later: boolean
}

/** Reads alone: a database without the schema has applied none. */
export async function inspectMigrations(sql: postgres.Sql): Promise<MigrationFacts> {
  const all = migrations()
  const { count, newest, oldestGood } = await appliedIn(sql)
  const missing = all.filter((migration) => timeOf(migration) > newest).length
  return { applied: count, missing, later: oldestGood > timeOf(all.at(-1)) }
}

export interface TimeFacts {
  /** How far the server's clock is ahead of `now`, in milliseconds; negative: behind. */
  aheadMs: number
  /** The shortest way there and back: the answer above is not more exact than half of it. */
  roundTripMs: number
}

const SAMPLES = 5

/** Compares the server's clock with `now`, at the quickest of a few answers. */
export async function inspectTime(sql: postgres.Sql, now: () => number): Promise<TimeFacts> {
  const samples: TimeFacts[] = []
  for (let count = 0; count < SAMPLES; count += 1) {
    const [wall, startedAt] = [now(), performance.now()]
    const [row] = await sql.unsafe('select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms')
    const roundTripMs = performance.now() - startedAt
    samples.push({ aheadMs: Number(row?.ms) - (wall + roundTripMs / 2), roundTripMs })
  }
  return samples.reduce((best, one) => (one.roundTripMs < best.roundTripMs ? one : best))
}
