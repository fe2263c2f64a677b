import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import type { DatabaseTarget } from '../../lib/database-url.js'
import type { Deadlines, Dialer } from './dialer.js'

export interface SessionOptions extends Deadlines {
  /** How many connections at most. */
  max: number
  /** False: statements are never kept prepared, not even those that ask for it. */
  prepare: boolean
  /** Limits that the server keeps by itself; undefined: none. */
  serverLimitsMs?: { statement: number; lock: number; idleInTransaction: number } | undefined
}

/** Short and fixed, so that the database is found within moments of its return. */
const BACKOFF_SECONDS = 0.2
const LIFETIME_SECONDS = 1_800

/** Arrays as parameters (`= any($1)`), which postgres.js would learn from the server at each connection otherwise. */
const ARRAY_TYPES = {
  boolean: 1000,
  smallint: 1005,
  integer: 1007,
  text: 1009,
  varchar: 1015,
  bigint: 1016,
  uuid: 2951
}

/**
 * A postgres.js client whose sockets are ours. All of its options are set, since it would take those that are not from
 * the environment.
 */
export function openSessions(target: DatabaseTarget, dialer: Dialer, options: SessionOptions): postgres.Sql {
  const { max, prepare, serverLimitsMs: limits } = options
  const sql = postgres({
    host: target.hosts[0]?.host ?? '',
    port: target.hosts[0]?.port ?? 5432,
    user: target.user,
    database: target.database,
    ...(target.password !== undefined && { password: target.password }),
    max,
    // Waiting behind another's statement would make its fate ours.
    max_pipeline: 1,
    ssl: false,
    idle_timeout: 0,
    connect_timeout: 0,
    max_lifetime: LIFETIME_SECONDS,
    backoff: () => BACKOFF_SECONDS,
    keep_alive: 0,
    prepare,
    debug: false,
    fetch_types: false,
    onnotice: () => {},
    socket: () => dialer.link(options),
    connection: {
      application_name: 'postern',
      ...target.parameters,
      TimeZone: 'UTC',
      DateStyle: 'ISO',
      ...(limits && {
        statement_timeout: limits.statement,
        lock_timeout: limits.lock,
        idle_in_transaction_session_timeout: limits.idleInTransaction
      })
    }
  } as postgres.Options<Record<string, never>>)
  // Drizzle puts its conversions (times as text, JSON as it made it) on the client that it is given.
  drizzle(sql)
  const { serializers } = sql.options as unknown as { serializers: Record<number, (value: unknown) => string> }
  for (const oid of Object.values(ARRAY_TYPES)) serializers[oid] = arrayLiteral
  return sql
}

/** PostgreSQL manual, 8.15.2: every element quoted, so that no text can end its own. */
function arrayLiteral(value: unknown): string {
  if (!Array.isArray(value)) return String(value)
  const elements = value.map((element) => {
    if (element === null || element === undefined) return 'NULL'
    return Array.isArray(element) ? arrayLiteral(element) : `"${String(element).replace(/["\\]/g, '\\$&')}"`
  })
  return `{${elements.join(',')}}`
}
