import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { migrateDatabase } from '../../../src/plugins/database/migrate.js'
import { createDatabaseApp, until } from '../../fixtures/database.js'
import { connect, createDatabase } from '../../fixtures/postgres.js'

const LATER = 9_999_999_999_999

/** A migrated database, to which a later version has added something. */
async function laterDatabase(t: Test) {
  const databaseUrl = await createDatabase(t)
  const sql = connect(databaseUrl)
  t.teardown(() => sql.end())
  await sql`insert into postern.__drizzle_migrations (hash, created_at) values ('of a later version', ${LATER})`
  const start = async () => {
    const { app, lines } = await createDatabaseApp(t, databaseUrl)
    await app.ready()
    return { app, lines }
  }
  return { sql, start }
}

t.test('a database that a later version has added to is good for this one, also at a start', async (t) => {
  const { sql, start } = await laterDatabase(t)
  const { app } = await start()
  await until(() => app.database.state() === 'ready')
  const [row] = await sql`select max(created_at) as newest from postern.__drizzle_migrations`
  t.equal(Number(row?.newest), LATER, 'and nothing of it was done again')
})

t.test('a database from which a later version has taken something away is refused, with the reason', async (t) => {
  const { sql, start } = await laterDatabase(t)
  const { app: running } = await start()
  await until(() => running.database.state() === 'ready')
  await sql.unsafe(`comment on table postern.__drizzle_migrations is 'oldest good: ${LATER}'`)
  await until(() => running.database.state() === 'unavailable')
  const { app: started, lines } = await start()
  await until(() => lines.some((line) => /later version/.test(JSON.stringify(line))))
  t.not(started.database.state(), 'ready')
  await sql.unsafe(`comment on table postern.__drizzle_migrations is 'oldest good: 1'`)
  await until(() => running.database.state() === 'ready' && started.database.state() === 'ready')
})

t.test('the limits of the role for requests are no limits for a migration, nor for the wait for one', async (t) => {
  const databaseUrl = await createDatabase(t, { empty: true })
  const other = connect(databaseUrl)
  t.teardown(() => other.end())
  const database = new URL(databaseUrl).pathname.slice(1)
  await other.unsafe(`alter database ${database} set statement_timeout = '200ms'`)
  await other.unsafe(`alter database ${database} set lock_timeout = '100ms'`)
  let migrated: Promise<number> | undefined
  await other.begin(async (transaction) => {
    await transaction.unsafe('select pg_advisory_xact_lock(7236712001)')
    migrated = migrateDatabase(databaseUrl)
    await sleep(600)
  })
  t.ok(Number(await migrated) > 0)
})
