import type postgres from 'postgres'
import type { MigrationFacts, ServerFacts, TimeFacts } from '../../plugins/database/inspect.js'
import { type Finding, fail, ok, warn } from './finding.js'

const OLDEST_VERSION = 140_000
/** A round trip beyond this is felt at every request. */
const SLOW_MS = 20
/** Tokens from the future are refused beyond the leeway of a check. */
const CLOCK_FAIL_MS = 5000
const CLOCK_WARN_MS = 1000

/** What can be said of a database that answers. `migrated`: it has this program's tables. */
export async function checkDatabase(
  sql: postgres.Sql,
  production: boolean,
  now: () => number
): Promise<{ findings: Finding[]; migrated: boolean }> {
  const { inspectMigrations, inspectServer, inspectTime } = await import('../../plugins/database/inspect.js')
  const server = await inspectServer(sql)
  const time = await inspectTime(sql, now)
  const migrations = await inspectMigrations(sql)
  const findings = [
    judgeServer(server, time),
    ...judgeConnection(server, production),
    judgeMigrations(migrations),
    judgeClock(time)
  ]
  return { findings, migrated: migrations.missing === 0 && !migrations.later }
}

export function judgeServer(server: ServerFacts, { roundTripMs }: TimeFacts): Finding {
  const { version, versionNumber, encoding, database, role, standby, pooled } = server
  const way = pooled ? ', by a pooler' : ''
  const found = `PostgreSQL ${version}, database ${database} as ${role}${way}, ${roundTripMs.toFixed(1)} ms away`
  if (versionNumber < OLDEST_VERSION) return fail('database', found, 'version 14 or later is needed')
  if (encoding !== 'UTF8') return fail('database', `${found}, encoding ${encoding}`, 'make a database with UTF8')
  if (standby) return fail('database', `${found}: a standby, which takes no writes`, 'connect to the primary')
  if (roundTripMs > SLOW_MS) return warn('database', found, 'run Postern nearer to its database')
  return ok('database', found)
}

export function judgeConnection({ superuser, remote, encrypted, pooled, role }: ServerFacts, production: boolean) {
  const findings: Finding[] = []
  if (superuser) {
    const advice = 'make a role without, which owns the database or the schema `postern`'
    findings.push(warn('database role', `${role} is a superuser`, advice))
  }
  // What a pooler's own connection is like says nothing of ours.
  if (production && remote && !encrypted && !pooled) {
    const advice = 'add sslmode=verify-full to DATABASE_URL'
    findings.push(warn('database connection', 'not encrypted, over a network', advice))
  }
  return findings
}

export function judgeMigrations({ applied, missing, later }: MigrationFacts): Finding {
  if (later) {
    const found = `${applied} applied: the database belongs to a later version of Postern`
    return fail('migrations', found, 'start that version, or restore a backup')
  }
  if (missing === 0) return ok('migrations', `${applied} applied, none pending`)
  return warn(
    'migrations',
    `${applied} applied, ${missing} pending`,
    '`postern migrate`, or the next start, applies them'
  )
}

export function judgeClock({ aheadMs, roundTripMs }: TimeFacts): Finding {
  const certain = Math.max(0, Math.abs(aheadMs) - roundTripMs / 2)
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(3)
  const found = `the database's clock is ${seconds} s ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`
  const advice = 'let both machines follow NTP: tokens from the future are refused, and keys change at another time'
  if (certain > CLOCK_FAIL_MS) return fail('clock', found, advice)
  if (certain > CLOCK_WARN_MS) return warn('clock', found, advice)
  return ok('clock', found)
}
