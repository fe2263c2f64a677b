import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type postgres from 'postgres'
import { parseDatabaseUrl } from '../../lib/database-url.js'
import { packageRoot } from '../../lib/package-root.js'
import { Dialer } from './dialer.js'
import { openSessions } from './pool.js'

const OLDEST_SERVER = 140_000
/** Any number will do, as long as nobody else takes the same lock in this database. */
const LOCK = '7236712001'
const MIGRATIONS_TABLE = 'postern.__drizzle_migrations'
/** Migrations may take their time; a server that is silent for longer than this is gone. */
export const PATIENCE_MS = 600_000
const CONNECT_MS = 10_000

type Migration = ReturnType<typeof readMigrationFiles>[number]

/** The migrations of this version, oldest first. */
export function migrations(): Migration[] {
  return readMigrationFiles({ migrationsFolder: join(packageRoot(), 'drizzle') })
}

/**
 * Brings the database of a URL to this version; see {@link applyMigrations}. For commands and tests, which have no
 * running service.
 */
export async function migrateDatabase(url: string): Promise<number> {
  const target = parseDatabaseUrl(url)
  const dialer = new Dialer(target)
  const sql = openSessions(target, dialer, { max: 1, connectMs: CONNECT_MS, deadlineMs: PATIENCE_MS })
  try {
    return await applyMigrations(sql)
  } finally {
    await sql.end({ timeout: 1 })
    dialer.closeAll()
  }
}

/**
 * Applies what is missing, in one transaction, under a lock that the transaction holds (a pooler between may give each
 * transaction another session). Returns how many were applied. Throws when the server is too old, keeps another
 * encoding than UTF-8, or holds a database of a later version.
 */
export async function applyMigrations(sql: postgres.Sql): Promise<number> {
  const all = migrations()
  await refuseWrongServer(sql)
  if ((await missing(sql, all)).length === 0) return 0
  return (await sql.begin(async (transaction) => {
    await transaction.unsafe(`select pg_advisory_xact_lock(${LOCK})`)
    await prepareSchema(transaction)
    const list = await missing(transaction, all)
    for (const { sql: statements, hash, folderMillis } of list) {
      for (const statement of statements) await transaction.unsafe(statement)
      await transaction.unsafe(`insert into ${MIGRATIONS_TABLE} (hash, created_at) values ($1, $2)`, [
        hash,
        folderMillis
      ])
    }
    return list.length
  })) as number
}

/** The newest migration in the database by its time, as the journal writes it; 0 when there is none. */
export async function newestMigration(sql: postgres.Sql | postgres.TransactionSql): Promise<number> {
  const [found] = await sql.unsafe(`select to_regclass('${MIGRATIONS_TABLE}') is not null as there`)
  if (!found?.there) return 0
  const [row] = await sql.unsafe(`select max(created_at) as newest from ${MIGRATIONS_TABLE}`)
  return Number(row?.newest ?? 0)
}

async function missing(sql: postgres.Sql | postgres.TransactionSql, all: Migration[]): Promise<Migration[]> {
  const newest = await newestMigration(sql)
  if (newest > (all.at(-1)?.folderMillis ?? 0)) {
    throw new Error('the database belongs to a later version of Postern: start that version, or restore a backup')
  }
  return all.filter(({ folderMillis }) => folderMillis > newest)
}

/** Drizzle's own table, so that its tools agree. A role without CREATE on the database can use a schema made for it. */
async function prepareSchema(sql: postgres.TransactionSql): Promise<void> {
  const [found] = await sql.unsafe(`select to_regnamespace('postern') is not null as there`)
  if (!found?.there) await sql.unsafe('create schema postern')
  await sql.unsafe(
    `create table if not exists ${MIGRATIONS_TABLE} (id serial primary key, hash text not null, created_at bigint)`
  )
}

async function refuseWrongServer(sql: postgres.Sql): Promise<void> {
  const [row] = await sql.unsafe(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
      current_setting('server_encoding') as encoding`
  )
  if (row?.number < OLDEST_SERVER) throw new Error(`PostgreSQL 14 or later is needed, and this is ${row?.version}`)
  if (row?.encoding !== 'UTF8') throw new Error(`the database must have the encoding UTF8, and has ${row?.encoding}`)
}
