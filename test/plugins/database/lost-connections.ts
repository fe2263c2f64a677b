import { createRequire } from 'node:module'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { sql as text } from 'drizzle-orm'
import esm, { type PostgresType, type Options as Settings, type Sql } from 'postgres'
import t, { type Test } from 'tap'
import { createDatabaseApp, failureOf, until } from '../../fixtures/database.js'
import { connect, createDatabase } from '../../fixtures/postgres.js'

const cjs = createRequire(import.meta.url)('postgres') as typeof esm
type Options = Settings<Record<string, PostgresType>>

const KILLS = 340
const PLACES = 10
const WORKERS = 24

/** What a caller does over and over: false when the connection was lost. Rejects when the answer is wrong. */
type Job = (number: number) => Promise<boolean>

async function answered(work: Promise<{ n: number } | undefined>, expected: number): Promise<boolean> {
  let row: { n: number } | undefined
  try {
    row = await work
  } catch (error) {
    if (/^(?:57P01|CONNECTION_|ECONNRESET|EPIPE|ERR_STREAM|unavailable)/.test(String(codeOf(error)))) return false
    throw error
  }
  if (row?.n !== expected) throw new Error(`asked for ${expected}, got ${JSON.stringify(row)}`)
  return true
}

function codeOf(error: unknown): unknown {
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return code ?? (cause === undefined ? error : codeOf(cause))
}

/** Lets workers do the jobs in turn until so many backends of this database have been killed. */
async function killUnderLoad(behind: Sql, jobs: Job[], kills: number) {
  const outcomes = { good: 0, lost: 0 }
  let killed = 0
  let number = 0
  let over = false
  const worker = async (_: unknown, index: number) => {
    while (!over) {
      const good = await jobs[(index + number) % jobs.length]?.(++number)
      outcomes[good ? 'good' : 'lost'] += 1
      // A refusal may take no turn of the event loop, and must not use all of it.
      if (!good) await turn()
    }
  }
  const killer = async () => {
    while (!over) {
      const rows = await behind`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'postern' and datname = current_database()`
      killed += rows.length
      over ||= killed >= kills
      await sleep(Math.random() * 20)
    }
  }
  try {
    await Promise.all([killer(), ...Array.from({ length: WORKERS }, worker)])
  } finally {
    over = true
  }
  return outcomes
}

/** Each transaction of the load writes two rows under one number. */
async function halfTransactions(behind: Sql): Promise<number> {
  return (await behind`select n from public.pairs group by n having count(*) <> 2`).length
}

async function createPairs(t: Test): Promise<{ databaseUrl: string; behind: Sql }> {
  const databaseUrl = await createDatabase(t, { empty: true })
  const behind = connect(databaseUrl)
  t.teardown(() => behind.end())
  await behind`create table public.pairs (n int)`
  return { databaseUrl, behind }
}

function options(databaseUrl: string): Options {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl)
  return {
    host: decodeURIComponent(hostname),
    port: Number(port),
    username,
    password,
    database: pathname.slice(1),
    max: PLACES,
    backoff: () => 0.01,
    connection: { application_name: 'postern' }
  }
}

for (const [name, postgres, fetch_types] of [
  ['the ES module', esm, true],
  ['the CommonJS module', cjs, false]
] as const) {
  t.test(`connections that are lost by the hundred end neither the process nor the pool: ${name}`, async (t) => {
    const { databaseUrl, behind } = await createPairs(t)
    const sql = postgres({ ...options(databaseUrl), fetch_types })
    t.teardown(() => sql.end({ timeout: 1 }))
    const query: Job = (n) =>
      answered(
        sql<{ n: number }[]>`select ${n}::int as n`.then(([row]) => row),
        n
      )
    const transaction: Job = (n) => {
      const work = sql.begin(async (tx) => {
        await tx`insert into public.pairs values (${n})`
        const [row] = await tx<{ n: number }[]>`insert into public.pairs values (${n}) returning n`
        return row
      })
      return answered(work as Promise<{ n: number }>, n)
    }
    const reserved: Job = (n) => {
      const work = sql.reserve().then(async (own) => {
        try {
          await own`select ${n}::int as n`
          return (await own<{ n: number }[]>`select ${n}::int as n`)[0]
        } finally {
          own.release()
        }
      })
      return answered(work, n)
    }
    const { good, lost } = await killUnderLoad(behind, [query, transaction, reserved], KILLS)
    t.ok(good > 0 && lost > 0)
    t.equal(await halfTransactions(behind), 0)
    // Every place of the pool is of use again.
    await until(async () => {
      const pids = await Promise.all(
        Array.from({ length: PLACES }, () => sql`select pg_backend_pid() as pid, pg_sleep(0.2)`.catch(() => []))
      )
      return new Set(pids.map(([row]) => row?.pid)).size === PLACES
    })
  })
}

t.test('connections that are lost by the hundred cost the service single answers, each of them 503', async (t) => {
  const { databaseUrl, behind } = await createPairs(t)
  const { app } = await createDatabaseApp(t, databaseUrl)
  await app.ready()
  await until(() => app.database.state() === 'ready')
  const query: Job = (n) =>
    answered(
      app.db.execute<{ n: number }>(text`select ${n}::int as n`).then(([row]) => row),
      n
    )
  const transaction: Job = (n) => {
    const work = app.db.transaction(async (tx) => {
      await tx.execute(text`insert into public.pairs values (${n})`)
      const [row] = await tx.execute<{ n: number }>(text`insert into public.pairs values (${n}) returning n`)
      return row
    })
    return answered(work, n)
  }
  const { good, lost } = await killUnderLoad(behind, [query, transaction], KILLS)
  t.ok(good > 0 && lost > 0)
  t.equal(await halfTransactions(behind), 0)
  await until(async () => {
    const all = Array.from({ length: PLACES }, () => failureOf(app.db.execute(text`select pg_sleep(0.1)`)))
    return (await Promise.all(all)).every((outcome) => outcome === 'no failure')
  })
})
