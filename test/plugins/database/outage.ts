import { sql } from 'drizzle-orm'
import t from 'tap'
import { createDatabaseApp, failureOf, until } from '../../fixtures/database.js'
import { connect, createDatabase } from '../../fixtures/postgres.js'
import { createRelay } from '../../fixtures/relay.js'

/** A ready app whose database is at the other end of a line that can be cut. */
async function connected(t: Parameters<typeof createDatabase>[0]) {
  const databaseUrl = await createDatabase(t, { empty: true })
  const relay = await createRelay(t, databaseUrl)
  const { app, lines } = await createDatabaseApp(t, relay.url())
  await app.ready()
  await until(() => app.database.state() === 'ready')
  const behind = connect(databaseUrl)
  t.teardown(() => behind.end())
  return { app, lines, relay, behind, databaseUrl }
}

t.test('a query over a line that is cut is refused while it is cut, and answered when it is mended', async (t) => {
  const { app, relay } = await connected(t)
  relay.freeze()
  const queries = Array.from({ length: 30 }, () => failureOf(app.db.execute(sql`select 1`)))
  t.strictSame(new Set(await Promise.all(queries)), new Set(['unavailable']))
  await until(() => app.database.state() === 'unavailable')
  relay.thaw()
  await until(() => app.database.state() === 'ready')
  t.equal((await app.db.execute(sql`select 1`)).length, 1)
})

t.test('the late answer to a query that was given up is not taken for the answer to another', async (t) => {
  const { app, relay } = await connected(t)
  for (let round = 0; round < 2; round++) {
    relay.freeze()
    const late = Array.from({ length: 10 }, () => failureOf(app.db.execute(sql`select 'late' as word`)))
    t.strictSame(new Set(await Promise.all(late)), new Set(['unavailable']))
    relay.thaw()
    const next = async (word: string) => {
      const failed = await failureOf(
        app.db.execute(sql`select ${word}::text as word`).then(([row]) => {
          if (row?.word !== word) throw new Error(`got ${row?.word}`)
        })
      )
      return failed === 'no failure' || failed === 'unavailable' ? 'right' : failed
    }
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => next(`${round}-${index}`)))
    t.strictSame(new Set(answers), new Set(['right']))
    await until(async () => (await next('again')) === 'right')
  }
})

t.test('a server that lets nobody in is unavailable, and asked no more often than need be', async (t) => {
  const { app, relay } = await connected(t)
  relay.refuse(true)
  await until(() => app.database.state() === 'unavailable')
  const before = relay.connections()
  t.strictSame(await failureOf(app.db.execute(sql`select 1`)), 'unavailable')
  t.strictSame(await failureOf(app.db.transaction(async () => undefined)), 'unavailable')
  t.ok(relay.connections() - before < 20, 'no storm of connections')
  relay.refuse(false)
  await until(() => app.database.state() === 'ready')
})

t.test('a transaction that does not end is refused, rolled back, and leaves its connection to nobody', async (t) => {
  const { app, behind } = await connected(t)
  await behind`create table public.work (name text)`
  const stuck = app.db.transaction(async (tx) => {
    await tx.execute(sql`insert into public.work values ('stuck')`)
    await new Promise(() => undefined)
  })
  t.equal(await failureOf(stuck), 'unavailable')
  await until(async () => {
    const [row] = await behind`select count(*)::int as open from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`
    return row?.open === 0
  })
  t.equal((await behind`select from public.work`).length, 0)
})

t.test('a transaction whose caller has been refused does not commit when its function ends after all', async (t) => {
  const { app, behind, relay } = await connected(t)
  await behind`create table public.work (name text)`
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let second: unknown
  const slow = app.db.transaction(async (tx) => {
    await tx.execute(sql`insert into public.work values ('first')`)
    relay.freeze()
    await held
    second = await failureOf(tx.execute(sql`insert into public.work values ('second')`))
  })
  t.equal(await failureOf(slow), 'unavailable')
  relay.thaw()
  release()
  await until(() => second !== undefined)
  t.equal(second, 'unavailable')
  await until(async () => (await failureOf(app.db.execute(sql`select 1`))) === 'no failure')
  t.equal((await behind`select from public.work`).length, 0)
})

t.test('what goes on after the connection of a transaction is lost is not done outside of it', async (t) => {
  const { app, behind } = await connected(t)
  await behind`create table public.work (name text)`
  let after: unknown
  const broken = app.db.transaction(async (tx) => {
    const [row] = await tx.execute(sql`select pg_backend_pid() as pid`)
    await behind`select pg_terminate_backend(${row?.pid as number})`
    await failureOf(tx.execute(sql`insert into public.work values ('first')`))
    // The pool makes the connection again.
    await Promise.all(Array.from({ length: 10 }, () => failureOf(app.db.execute(sql`select pg_sleep(0.1)`))))
    await until(async () => (await failureOf(app.db.execute(sql`select 1`))) === 'no failure')
    after = await failureOf(tx.execute(sql`insert into public.work values ('second')`))
  })
  t.equal(await failureOf(broken), 'unavailable')
  await until(() => after !== undefined)
  t.equal(after, 'unavailable')
  t.equal((await behind`select from public.work`).length, 0)
})

t.test('closing does not wait for a server that does not answer', async (t) => {
  const { app, relay } = await connected(t)
  relay.freeze()
  const query = failureOf(app.db.execute(sql`select 1`))
  await app.close()
  t.equal(await query, 'unavailable')
  t.equal(await failureOf(app.db.execute(sql`select 1`)), 'unavailable')
})
