import t from 'tap'
import { createHousekeeping } from '../../src/features/events/housekeeping.js'
import { deleteExpiredPartitions } from '../../src/features/events/store.js'
import { createApp } from '../fixtures/app.js'

type App = Awaited<ReturnType<typeof createApp>>

const DAY = 86_400

async function partitions({ sql }: App): Promise<string[]> {
  const rows = await sql`select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'postern.auth_events'::regclass order by 1`
  return rows.map(({ relname }) => relname)
}

/** The month of the database's clock, `offset` months away. */
async function month({ sql }: App, offset: number): Promise<{ day: string; name: string; ageDays: number }> {
  const [row] =
    await sql`select to_char(first, 'YYYY-MM-DD') as day, 'auth_events_' || to_char(first, 'YYYY_MM') as name,
      extract(epoch from clock_timestamp() at time zone 'UTC' - (first + interval '1 month')) / 86400 as age_days
    from (select date_trunc('month', clock_timestamp() at time zone 'UTC') + make_interval(months => ${offset}::int) as first) m`
  return { day: row?.day, name: row?.name, ageDays: Number(row?.age_days) }
}

async function makeOld(app: App, offset: number) {
  const old = await month(app, offset)
  await app.sql`select postern.ensure_event_partition(${old.day}::text::date)`
  await app.sql`insert into postern.auth_events (id, event_type, success, created_at)
    values (gen_random_uuid(), 'login', true, ${`${old.day}T12:00:00Z`}::text::timestamptz)`
  return old
}

t.test('after the start there are the partitions of this month and the next three, and no default one', async (t) => {
  const app = await createApp(t)
  const expected = await Promise.all([0, 1, 2, 3].map((offset) => month(app, offset)))
  t.strictSame(
    await partitions(app),
    expected.map(({ name }) => name)
  )
  const [inserted] =
    await app.sql`select relname from pg_class c join postern.auth_events e on e.tableoid = c.oid limit 1`
  t.equal(inserted?.relname, expected[0]?.name)
})

t.test(
  'several instances look after the partitions at once, while events are written, and nothing fails',
  async (t) => {
    const app = await createApp(t)
    const { db, log, events } = app.app
    const old = await makeOld(app, -20)
    const record = () => events.record(db, undefined, { type: 'key_created', success: true })
    const instances = Array.from({ length: 4 }, () => createHousekeeping({ db, retentionSeconds: 400 * DAY, log }))
    await Promise.all([...instances.map((instance) => instance.run()), ...Array.from({ length: 20 }, record)])
    t.notOk((await partitions(app)).includes(old.name))
    t.equal((await partitions(app)).length, 4)
  }
)

t.test('retention drops whole months only, and none that still holds a row young enough', async (t) => {
  const app = await createApp(t)
  const [older, old] = [await makeOld(app, -3), await makeOld(app, -2)]
  const retention = ((old.ageDays + older.ageDays) / 2) * DAY
  t.strictSame(await deleteExpiredPartitions(app.app.db, retention), [older.name])
  t.ok((await partitions(app)).includes(old.name))
  t.strictSame(await deleteExpiredPartitions(app.app.db, retention), [])
  t.strictSame(await deleteExpiredPartitions(app.app.db, 0), [old.name])
  t.equal((await partitions(app)).length, 4)
})

t.test('retention waits for no reader: it gives up, and the next time it succeeds', async (t) => {
  const app = await createApp(t)
  const old = await makeOld(app, -3)
  await app.sql.begin(async (reader) => {
    await reader`select count(*) from postern.auth_events`
    await t.rejects(deleteExpiredPartitions(app.app.db, 0), { cause: { code: 'unavailable' } })
  })
  t.strictSame(await deleteExpiredPartitions(app.app.db, 0), [old.name])
})

t.test('an event without a partition for its time is refused as unavailable, not lost', async (t) => {
  const app = await createApp(t)
  for (const name of await partitions(app)) await app.sql.unsafe(`drop table postern.${name}`)
  const { events, db } = app.app
  await t.rejects(events.record(db, undefined, { type: 'key_created', success: true }), { code: 'unavailable' })
})
