import type postgres from 'postgres'
import { parseDatabaseUrl } from '../../lib/database-url.js'
import { boundedDb } from './client.js'
import { Dialer } from './dialer.js'
import type { Db } from './index.js'
import { missingOf } from './migrate.js'
import { openSessions } from './pool.js'
import { Slots } from './slots.js'

const CONNECT_MS = 10_000
const DEADLINE_MS = 30_000

/** A connection of its own to the database of a URL, for as long as `use` takes. Migrates nothing, and checks nothing. */
export async function withSession<T>(url: string, use: (sql: postgres.Sql, db: Db) => Promise<T>): Promise<T> {
  const target = parseDatabaseUrl(url)
  const dialer = new Dialer(target)
  const limits = { connectMs: CONNECT_MS, deadlineMs: DEADLINE_MS }
  const sql = openSessions(target, dialer, { ...limits, max: 1, prepare: false })
  const slots = new Slots(1, DEADLINE_MS)
  const db = boundedDb(
    () => sql,
    slots,
    () => undefined
  )
  try {
    return await use(sql, db)
  } finally {
    await sql.end({ timeout: 1 })
    dialer.close()
  }
}

/**
 * For a command: `use` gets the database of a URL, over one connection, which is closed at the end. Migrates nothing; throws
 * when the database has another version than this program.
 */
export async function withDb<T>(url: string, use: (db: Db) => Promise<T>): Promise<T> {
  return await withSession(url, async (sql, db) => {
    if ((await missingOf(sql)).length > 0) throw new Error('the database has to be migrated first: postern migrate')
    return await use(db)
  })
}
