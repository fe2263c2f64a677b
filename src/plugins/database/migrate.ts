import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type postgres from 'postgres'
import { type DatabaseTarget, parseDatabaseUrl } from '../../lib/database-url.js'
import { packageRoot } from '../../lib/package-root.js'
import { Dialer } from './dialer.js'
import { openSessions } from './pool.js'

const OLDEST_SERVER = 140_000
/** Any number will do, as long as nobody else takes the same lock in this database. */
const LOCK = '7236712001'
/** Drizzle's own table, so that its tools agree. */
const MIGRATIONS_TABLE = 'postern.__drizzle_migrations'
/** `comment on table postern.__drizzle_migrations is 'oldest good: 1795618765405'`, the number from drizzle/meta/_journal.json. */
const OLDEST_GOOD = /^oldest good: (\d+)$/
/** Migrations may take their time; a server that is silent for longer than this is gone. */
const PATIENCE_MS = 600_000
const CONNECT_MS = 10_000
const UNDEFINED_TABLE = '42P01'

type Session = postgres.Sql | postgres.TransactionSql
type Migration = ReturnType<typeof readMigrationFiles>[number]

/** The migrations of this version, oldest first. */
export function migrations(): Migration[] {
  return readMigrationFiles({ migrationsFolder: join(packageRoot(), 'drizzle') })
}

/** As a start of the service does, for who has only the URL. Throws as {@link checkServer} and {@link missingOf} do. */
export async function migrateDatabase(url: string): Promise<number> {
  const target = parseDatabaseUrl(url)
  const dialer = new Dialer(target)
  try {
    return await migrateOver(dialer, target)
  } finally {
    dialer.close()
  }
}

/** Applies what is missing, on a connection of its own, whose limits are patient. Returns how many that were. */
export async function migrateOver(dialer: Dialer, target: DatabaseTarget): Promise<number> {
  const limits = { connectMs: CONNECT_MS, deadlineMs: PATIENCE_MS }
  const sql = openSessions(target, dialer, { ...limits, max: 1, prepare: false })
  try {
    await checkServer(sql)
    // First without the lock: whoever finds nothing to do waits for nobody.
    if ((await missingOf(sql)).length === 0) return 0
    return (await sql.begin(apply)) as number
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** In one transaction that holds the lock, since a pooler may give the next transaction another session. */
async function apply(transaction: postgres.TransactionSql): Promise<number> {
  // The lock of one whose machine has vanished must not keep the others waiting until TCP notices.
  await transaction.unsafe(`set local idle_in_transaction_session_timeout = '60s'`)
  // Behind a pooler the role has limits for requests; a migration, and the wait for another's, may take longer.
  await transaction.unsafe('set local statement_timeout = 0')
  await transaction.unsafe('set local lock_timeout = 0')
  await transaction.unsafe(`select pg_advisory_xact_lock(${LOCK})`)
  await prepareSchema(transaction)
  const list = await missingOf(transaction)
  for (const { sql: statements, hash, folderMillis } of list) {
    for (const statement of statements) await transaction.unsafe(statement)
    await transaction.unsafe(`insert into ${MIGRATIONS_TABLE} (hash, created_at) values ($1, $2)`, [hash, folderMillis])
  }
  return list.length
}

/**
 * What this version has and the database has not. A database that a later version has added to has everything. Throws when a
 * later version has taken away what this one needs.
 */
export async function missingOf(sql: Session): Promise<Migration[]> {
  const all = migrations()
  const { newest, oldestGood } = await appliedIn(sql)
  if (oldestGood > timeOf(all.at(-1))) {
    throw new Error('the database belongs to a later version of Postern: start that version, or restore a backup')
  }
  return all.filter((migration) => timeOf(migration) > newest)
}

/** Whether a version whose last migration is of that time can work: old and new ones run side by side during an upgrade. */
export async function isMigrated(sql: Session, own: number): Promise<boolean> {
  const { newest, oldestGood } = await appliedIn(sql)
  return newest >= own && oldestGood <= own
}

export function timeOf(migration: Migration | undefined): number {
  return migration?.folderMillis ?? 0
}

export interface Applied {
  /** How many migrations the database has. */
  count: number
  /** The time of the newest of them; 0 without any. */
  newest: number
  /**
   * The time of the last one that a version must have to work; a migration that takes something away says so in its SQL, as
   * the comment of the table of migrations.
   */
  oldestGood: number
}

export async function appliedIn(sql: Session): Promise<Applied> {
  try {
    const [row] = await sql.unsafe(
      `select count(*)::int as count, max(created_at) as newest,
        obj_description('${MIGRATIONS_TABLE}'::regclass, 'pg_class') as comment from ${MIGRATIONS_TABLE}`
    )
    const oldestGood = Number(OLDEST_GOOD.exec(row?.comment ?? '')?.[1] ?? 0)
    return { count: row?.count ?? 0, newest: Number(row?.newest ?? 0), oldestGood }
  } catch (error) {
    if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return { count: 0, newest: 0, oldestGood: 0 }
    throw error
  }
}

/** A role without CREATE on the database can use a schema that was made for it. */
async function prepareSchema(sql: postgres.TransactionSql): Promise<void> {
  const [found] = await sql.unsafe(`select to_regnamespace('postern') is not null as there`)
  if (!found?.there) await sql.unsafe('create schema postern')
  await sql.unsafe(
    `create table if not exists ${MIGRATIONS_TABLE} (id serial primary key, hash text not null, created_at bigint)`
  )
}

/**
 * Throws when the server is too old, or keeps another encoding than UTF-8. `pooled`: something between gives each
 * transaction a session of its choice, as PgBouncer does, and has told us the number of none of them.
 */
export async function checkServer(sql: postgres.Sql): Promise<{ pooled: boolean }> {
  const rows = await sql.unsafe(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
      current_setting('server_encoding') as encoding, pg_backend_pid() as pid`
  )
  const [row] = rows
  if (row?.number < OLDEST_SERVER) throw new Error(`PostgreSQL 14 or later is needed, and this is ${row?.version}`)
  if (row?.encoding !== 'UTF8') throw new Error(`the database must have the encoding UTF8, and has ${row?.encoding}`)
  return { pooled: rows.state.pid !== row.pid }
}
