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
  await transaction.unsafe(`select pg_advisory_xact_lock(${LOCK})`)
  await prepareSchema(transaction)
  const list = await missingOf(transaction)
  for (const { sql: statements, hash, folderMillis } of list) {
    for (const statement of statements) await transaction.unsafe(statement)
    await transaction.unsafe(`insert into ${MIGRATIONS_TABLE} (hash, created_at) values ($1, $2)`, [hash, folderMillis])
  }
  return list.length
}

/** What this version has and the database has not. Throws when the database belongs to a later version. */
export async function missingOf(sql: Session): Promise<Migration[]> {
  const all = migrations()
  const newest = await newestIn(sql)
  if (newest > timeOf(all.at(-1))) {
    throw new Error('the database belongs to a later version of Postern: start that version, or restore a backup')
  }
  return all.filter((migration) => timeOf(migration) > newest)
}

/** Whether the database has the migration of that time; a later version's has it, too. */
export async function isMigrated(sql: Session, newest: number): Promise<boolean> {
  return (await newestIn(sql)) >= newest
}

export function timeOf(migration: Migration | undefined): number {
  return migration?.folderMillis ?? 0
}

async function newestIn(sql: Session): Promise<number> {
  try {
    const [row] = await sql.unsafe(`select max(created_at) as newest from ${MIGRATIONS_TABLE}`)
    return Number(row?.newest ?? 0)
  } catch (error) {
    if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return 0
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
