import t from 'tap'
import type { AuditEvent, Client } from '../../src/events.js'
import { Flood } from '../../src/features/events/flood.js'
import { insertEventsOnce } from '../../src/features/events/store.js'
import { bounded, merged, tallyOf } from '../../src/features/events/tally.js'
import { createApp } from '../fixtures/app.js'

type App = Awaited<ReturnType<typeof createApp>>

const forged: AuditEvent = { type: 'token_rejected', success: false, reason: 'bad_signature' }
const ada = { userId: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a', email: 'ada@example.com' }
const bob = { userId: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5b', email: 'bob@example.com' }

function client(address = '192.0.2.1', addressKey = address): Client {
  return { address, addressKey, userAgent: 'a test', requestId: 'request-1' }
}

async function written({ sql }: App, event = forged) {
  return await sql`select *, (details->>'count')::int as count from postern.auth_events
    where event_type = ${event.type} and failure_reason = ${event.reason ?? null} order by created_at, id`
}

const counts = async (app: App, event = forged) => (await written(app, event)).map(({ count }) => count)
const sum = async (app: App, event = forged) => (await counts(app, event)).reduce((total, count) => total + count, 0)

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await isTrue()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('it did not come true within 10 s')
}

t.test('the first is a row at once, repeats within the minute are one summary without a request id', async (t) => {
  const app = await createApp(t)
  await app.app.events.refuse(client(), { ...forged, details: { kid: 'k' } })
  t.match(await written(app), [{ request_id: 'request-1', details: { kid: 'k', count: 1 } }])
  for (let repeat = 0; repeat < 20; repeat += 1) await app.app.events.refuse(client(), forged)
  await app.app.events.flush()
  const rows = await written(app)
  t.equal(rows.length, 2)
  t.match(rows[1], {
    request_id: null,
    ip_address: '192.0.2.1',
    user_agent: 'a test',
    success: false,
    details: { count: 20 }
  })
})

t.test('repeats are written without anybody asking for it', async (t) => {
  const app = await createApp(t)
  for (let n = 0; n < 3; n += 1) await app.app.events.refuse(client(), forged)
  await until(async () => (await sum(app)) === 3)
  await app.app.events.refuse(client(), forged)
  await until(async () => (await sum(app)) === 4)
  t.strictSame(await counts(app), [1, 2, 1])
})

t.test('repeats are written when the service stops', async (t) => {
  const app = await createApp(t)
  for (let n = 0; n < 5; n += 1) await app.app.events.refuse(client(), forged)
  await app.app.close()
  t.strictSame(await counts(app), [1, 4])
})

t.test('parallel firsts are one row, and the others are counted', async (t) => {
  const app = await createApp(t)
  await Promise.all(Array.from({ length: 100 }, () => app.app.events.refuse(client(), forged)))
  await app.app.events.flush()
  t.strictSame(await counts(app), [1, 99])
})

t.test('after a minute the next one is a first again', async (t) => {
  const app = await createApp(t)
  await app.app.events.refuse(client(), forged)
  app.clock.advance('59s')
  await app.app.events.refuse(client(), forged)
  app.clock.advance('2s')
  await app.app.events.refuse(client(), forged)
  const firsts = (await written(app)).filter((row) => row.request_id !== null)
  t.equal(firsts.length, 2)
  await app.app.events.flush()
  t.equal(await sum(app), 3)
})

t.test('each address and each reason has its own first', async (t) => {
  const app = await createApp(t)
  const expired: AuditEvent = { ...forged, reason: 'token_expired' }
  await app.app.events.refuse(client(), forged)
  await app.app.events.refuse(client('192.0.2.2'), forged)
  await app.app.events.refuse(client(), expired)
  t.strictSame(await counts(app), [1, 1])
  t.strictSame(await counts(app, expired), [1])
})

t.test('only what could flood the disk is counted', async (t) => {
  const app = await createApp(t)
  const wrong: AuditEvent = { type: 'login', success: false, reason: 'wrong_password' }
  const flooding: AuditEvent[] = [
    { type: 'rate_limited', success: false, reason: 'rate_limited' },
    { type: 'account_throttled', success: false, reason: 'account_throttled' },
    { type: 'signup', success: false, reason: 'overloaded' },
    { type: 'refresh', success: false, reason: 'invalid_request' }
  ]
  for (const event of [wrong, ...flooding]) {
    for (let n = 0; n < 3; n += 1) await app.app.events.refuse(client(), event)
  }
  await app.app.events.flush()
  t.strictSame(await counts(app, wrong), [null, null, null])
  for (const event of flooding) t.strictSame(await counts(app, event), [1, 2])
})

t.test('the addresses of one /64 are one flood; a summary of several names the network', async (t) => {
  const app = await createApp(t)
  for (let host = 1; host <= 30; host += 1) {
    await app.app.events.refuse(client(`2001:db8:1:2::${host}`, '2001:db8:1:2::/64'), forged)
  }
  await app.app.events.flush()
  t.match(await written(app), [
    { ip_address: '2001:db8:1:2::1', count: 1 },
    { ip_address: '2001:db8:1:2::/64', count: 29 }
  ])
})

t.test('a summary names an account only if all its repeats were about that account', async (t) => {
  const app = await createApp(t)
  const throttled: AuditEvent = { type: 'account_throttled', success: false, reason: 'account_throttled' }
  for (const user of [ada, ada, ada]) await app.app.events.refuse(client(), { ...throttled, ...user })
  await app.app.events.flush()
  for (const user of [ada, bob]) await app.app.events.refuse(client(), { ...throttled, ...user })
  await app.app.events.flush()
  t.match(await written(app, throttled), [
    { user_id: ada.userId, email: ada.email, count: 1 },
    { user_id: ada.userId, email: ada.email, count: 2 },
    { user_id: null, email: null, count: 2 }
  ])
})

t.test(
  'when the first cannot be written it is refused as unavailable, with all that came meanwhile, and the next is a first again',
  async (t) => {
    const app = await createApp(t)
    await app.sql`alter table postern.auth_events add constraint away check (false) not valid`
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => app.app.events.refuse(client(), forged)))
    for (const outcome of outcomes) t.match(outcome, { status: 'rejected', reason: { code: 'unavailable' } })
    await app.sql`alter table postern.auth_events drop constraint away`
    await app.app.events.refuse(client(), forged)
    t.match(await written(app), [{ request_id: 'request-1', count: 1 }])
    await app.app.events.flush()
    t.strictSame(await counts(app), [1])
  }
)

t.test(
  'counts that cannot be written are kept, repeats are refused meanwhile, and the sum is exact in the end',
  async (t) => {
    const app = await createApp(t)
    // What has a request id is a first, what has none is a summary.
    await app.sql`alter table postern.auth_events add constraint away
      check (event_type <> 'token_rejected' or request_id is not null) not valid`
    for (let n = 0; n < 10; n += 1) await app.app.events.refuse(client(), forged)
    await app.app.events.flush()
    await t.rejects(app.app.events.refuse(client(), forged), { code: 'unavailable' })
    await app.app.events.flush()
    await app.sql`alter table postern.auth_events drop constraint away`
    await until(async () => (await sum(app)) === 10)
    await app.app.events.refuse(client(), forged)
    await app.app.events.flush()
    t.equal(await sum(app), 11)
  }
)

t.test('a summary that was written although its writer was told otherwise is not written twice', async (t) => {
  const { app, sql } = await createApp(t)
  const { row } = tallyOf('', client(), forged)
  const summary = { ...row, createdAt: new Date(app.clock.now()), details: { count: 7 } }
  await insertEventsOnce(app.db, [summary])
  await insertEventsOnce(app.db, [summary, { ...summary, id: bob.userId }])
  const [{ count } = {}] = await sql`select count(*)::int from postern.auth_events where event_type = 'token_rejected'`
  t.equal(count, 2)
})

/** A flood whose rows go to memory, so that ten thousand addresses cost nothing. */
function inMemory() {
  const singles: AuditEvent[] = []
  const batches: { ids: string[]; at: Date; count: number }[] = []
  const state = { now: 1_000_000, failing: false, lost: 0 }
  const flood = new Flood({
    now: () => state.now,
    writeEvent: async (_client, event) => {
      singles.push(event)
    },
    readTime: async () => new Date(state.now),
    writeTallies: async (tallies, at) => {
      const count = tallies.reduce((total, tally) => total + tally.count, 0)
      batches.push({ ids: tallies.map(({ row }) => row.id), at, count })
      if (state.failing) throw new Error('the database is away')
    },
    onFailure: () => undefined,
    onLoss: (tallies) => {
      state.lost = tallies.reduce((total, tally) => total + tally.count, 0)
    }
  })
  return { flood, singles, batches, state }
}

t.test('from more addresses than are told apart, rows stay few and no count is lost', async (t) => {
  const { flood, singles, batches, state } = inMemory()
  const addresses = Array.from({ length: 12_000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`)
  for (const address of addresses) await flood.write(client(address), forged)
  t.equal(singles.length, 10_001)
  for (const address of addresses) await flood.write(client(address), forged)
  t.equal(singles.length, 10_001)
  await flood.flush()
  t.equal(batches.length, 1)
  t.ok((batches[0]?.ids.length ?? 0) <= 501)
  t.equal(singles.length + (batches[0]?.count ?? 0), 24_000)
  state.now += 60_000
  await flood.write(client('192.0.2.1'), forged)
  t.equal(singles.length, 10_002, 'and a minute later they are told apart again')
})

t.test('a batch that failed is repeated with its ids and its time, before what was counted later', async (t) => {
  const { flood, batches, state } = inMemory()
  for (let n = 0; n < 3; n += 1) await flood.write(client(), forged)
  state.failing = true
  await flood.flush()
  state.now += 500
  await flood.flush()
  state.failing = false
  await flood.flush()
  t.equal(batches.length, 3)
  t.strictSame(batches[1], batches[0])
  t.strictSame(batches[2], batches[0])
  await flood.write(client(), forged)
  await flood.close()
  t.equal(batches[3]?.count, 1)
})

t.test('what could not even be written at the end is named with its number', async (t) => {
  const { flood, state } = inMemory()
  for (let n = 0; n < 8; n += 1) await flood.write(client(), forged)
  state.failing = true
  await flood.close()
  t.equal(state.lost, 7)
})

t.test('a clock that is set back opens a new minute rather than an endless one', async (t) => {
  const { flood, singles, state } = inMemory()
  await flood.write(client(), forged)
  state.now -= 3_600_000
  await flood.write(client(), forged)
  t.equal(singles.length, 2)
})

t.test(
  'a summary of several networks has no address, and one that is no network is never written as one',
  async (t) => {
    const one = tallyOf('k', client('2001:db8::1', '2001:db8::/64'), forged)
    t.equal(merged(one, tallyOf('k', client('2001:db9::1', '2001:db9::/64'), forged)).row.ipAddress, null)
    const odd = tallyOf('k', client('192.0.2.1', 'anything'), forged)
    t.equal(merged(odd, tallyOf('k', client('192.0.2.2', 'anything'), forged)).row.ipAddress, null)
    t.equal(bounded([one, odd, one], 1).length, 2)
  }
)
