import t, { type Test } from 'tap'
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
