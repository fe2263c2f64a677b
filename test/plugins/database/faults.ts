import { sql } from 'drizzle-orm'
import t from 'tap'
import type { Db } from '../../../src/plugins/database/index.js'
import { Slots } from '../../../src/plugins/database/slots.js'
import { createDatabaseApp, failureOf, until } from '../../fixtures/database.js'
import { connect, createDatabase } from '../../fixtures/postgres.js'

const databaseUrl = await createDatabase(t, { empty: true })
const name = new URL(databaseUrl).pathname.slice(1)
const { app } = await createDatabaseApp(t, databaseUrl)
await app.ready()
await until(() => app.database.state() === 'ready')
const behind = connect(databaseUrl, 3)
t.teardown(() => behind.end())
await behind`create table public.accounts (id int primary key, secret text, check (id < 100))`
await behind`insert into public.accounts values (1, 'hush'), (2, 'hush')`

const touch = (db: Db, id: number) => db.execute(sql`update public.accounts set secret = 'new' where id = ${id}`)

t.test('a statement that takes too long is unavailable', async (t) => {
  t.equal(await failureOf(app.db.execute(sql`select pg_sleep(60)`)), 'unavailable')
})

t.test('a row that somebody else holds for too long is unavailable', async (t) => {
  await behind.begin(async (holder) => {
    await holder`update public.accounts set secret = 'held' where id = 1`
    t.equal(await failureOf(touch(app.db, 1)), 'unavailable')
  })
})

t.test('of two transactions in a deadlock at least one ends well, and a loser is told to repeat', async (t) => {
  await behind.unsafe(`alter database ${name} set deadlock_timeout = '10ms'`).catch(() => undefined)
  let entered = 0
  const both = (first: number, second: number) =>
    failureOf(
      app.db.transaction(async (tx) => {
        await touch(tx, first)
        entered++
        await until(() => entered >= 2)
        await touch(tx, second)
      })
    )
  const outcomes = (await Promise.all([both(1, 2), both(2, 1)])).sort()
  t.equal(outcomes[1], 'unavailable')
})

t.test('a database that is read-only is unavailable', async (t) => {
  const outcome = app.db.transaction(async (tx) => {
    await tx.execute(sql`set transaction read only`)
    await touch(tx, 1)
  })
  t.equal(await failureOf(outcome), 'unavailable')
})

t.test('a database that takes no more connections is unavailable, and available once it does', async (t) => {
  await behind.unsafe(`alter database ${name} connection limit 0`)
  await behind`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'postern' and datname = current_database()`
  await until(() => app.database.state() === 'unavailable')
  t.equal(await failureOf(app.db.execute(sql`select 1`)), 'unavailable')
  await behind.unsafe(`alter database ${name} connection limit -1`)
  await until(() => app.database.state() === 'ready')
  t.equal((await app.db.execute(sql`select 1`)).length, 1)
})

t.test('any other fault reaches the caller with its code, and without what is in the rows', async (t) => {
  for (const [statement, code] of [
    [sql`insert into public.accounts values (1, 'canary')`, '23505'],
    [sql`insert into public.accounts values (100, 'canary')`, '23514'],
    [sql`select * from public.nothing`, '42P01']
  ] as const) {
    const error = await app.db.execute(statement).then(
      () => undefined,
      (thrown: { cause: Error & { code: string } }) => thrown.cause
    )
    t.equal(error?.code, code)
    t.notMatch(JSON.stringify(error), /canary/)
  }
})

t.test('what the function of a transaction throws reaches the caller as it is', async (t) => {
  const own = Object.assign(new Error('of the function'), { code: 'ECONNREFUSED' })
  await t.rejects(
    app.db.transaction(async () => {
      throw own
    }),
    own
  )
})

t.test('a savepoint undoes its own part alone', async (t) => {
  await app.db.transaction(async (tx) => {
    await tx.execute(sql`insert into public.accounts values (10, 'kept')`)
    const inner = tx.transaction(async (part) => {
      await part.execute(sql`insert into public.accounts values (11, 'undone')`)
      throw new Error('undo')
    })
    await t.rejects(inner, /undo/)
  })
  t.strictSame([...(await behind`select id from public.accounts where id in (10, 11)`)], [{ id: 10 }])
})

t.test('a list is one parameter, whatever is in its texts', async (t) => {
  const words = ['plain', 'with "quotes" and \\', '{a,b}', '', 'NULL']
  const [row] = await app.db.execute<{ words: string[]; found: boolean }>(
    sql`select to_jsonb(${sql.param(words)}::text[]) as words, ${2} = any(${sql.param([1, 2])}::int[]) as found`
  )
  t.strictSame(row, { words, found: true })
})

t.test('the session reads times as UTC and keeps limits of its own below the timeout', async (t) => {
  const [row] = await app.db.execute<Record<string, string>>(sql`select current_setting('TimeZone') as zone,
    current_setting('application_name') as name, current_setting('statement_timeout') as statement,
    current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle`)
  t.strictSame(row, { zone: 'UTC', name: 'postern', statement: '600ms', lock: '480ms', idle: '600ms' })
})

t.test('a call that nobody waits for any more is not begun', async (t) => {
  const slots = new Slots(1, 50)
  let end: () => void = () => undefined
  const first = slots.run(
    () =>
      new Promise<void>((resolve) => {
        end = resolve
      })
  )
  let begun = false
  const second = slots.run(async () => {
    begun = true
  })
  t.strictSame(await Promise.all([failureOf(first), failureOf(second)]), ['unavailable', 'unavailable'])
  end()
  t.equal(await slots.run(async () => 'third'), 'third')
  t.equal(begun, false)
})
