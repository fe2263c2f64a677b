import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import { unavailable } from '../../errors.js'
import { translate } from './faults.js'
import type { Db } from './index.js'
import type { Call, Slots } from './slots.js'

type Parameters = NonNullable<globalThis.Parameters<postgres.Sql['unsafe']>[1]>
type QueryOptions = postgres.UnsafeQueryOptions
type Work<T> = (client: Bounded) => Promise<T>

/** What Drizzle uses of a postgres.js client. */
interface Bounded {
  unsafe(query: string, parameters?: Parameters, options?: QueryOptions): Statement
  savepoint?<T>(work: Work<T>): Promise<T>
}

/**
 * Drizzle over the current pool, every statement and every transaction as a whole being one call of `slots`. `refusal` is asked
 * before each; what it returns is the answer.
 */
export function boundedDb(pool: () => postgres.Sql, slots: Slots, refusal: () => Error | undefined): Db {
  const guarded = <T>(work: (call: Call) => PromiseLike<T>): Promise<T> => {
    const refused = refusal()
    return refused ? Promise.reject(refused) : slots.run(work)
  }
  const client = {
    // Where Drizzle puts its conversions; openSessions has them put on each pool.
    options: { parsers: {}, serializers: {} },
    unsafe: (query: string, parameters?: Parameters, options?: QueryOptions) =>
      new Statement((asArrays) => guarded(() => send(pool(), query, parameters, options, asArrays))),
    begin: <T>(work: Work<T>): Promise<T> => guarded((call) => begin(pool(), call, work))
  }
  // Drizzle asks for the whole type of postgres.js, and calls no more than the three members above.
  return drizzle(client as unknown as postgres.Sql) as unknown as Db
}

/** A statement that is sent when somebody waits for it, as those of postgres.js are. */
class Statement implements PromiseLike<unknown> {
  readonly #send: (asArrays: boolean) => Promise<unknown>
  #asArrays = false
  #sent: Promise<unknown> | undefined

  constructor(send: (asArrays: boolean) => Promise<unknown>) {
    this.#send = send
  }

  values(): this {
    this.#asArrays = true
    return this
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaited is what a statement is for
  then<A, B>(
    onFulfilled?: ((rows: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null
  ): Promise<A | B> {
    this.#sent ??= this.#send(this.#asArrays)
    return this.#sent.then(onFulfilled as (rows: unknown) => A, onRejected)
  }
}

async function send(
  sql: postgres.Sql | postgres.TransactionSql,
  query: string,
  parameters: Parameters | undefined,
  options: QueryOptions | undefined,
  asArrays: boolean
): Promise<unknown> {
  try {
    const pending = sql.unsafe(query, parameters, options)
    return await (asArrays ? pending.values() : pending)
  } catch (error) {
    throw translate(error)
  }
}

/**
 * A transaction whose time is up does nothing more: its next statement is refused, and it is rolled back even if its
 * function ends well, for its caller has been told that it failed.
 */
async function begin<T>(sql: postgres.Sql, call: Call, work: Work<T>): Promise<T> {
  let own: { error: unknown } | undefined
  const run = async (transaction: postgres.TransactionSql) => {
    try {
      const done = await work(bind(transaction, call))
      refuseExpired(call)
      return { done }
    } catch (error) {
      own = { error }
      throw error
    }
  }
  try {
    const result = (await sql.begin(run)) as { done: T }
    return result.done
  } catch (error) {
    // What the function throws is its own affair; only the database's errors are translated.
    throw own?.error === error ? error : translate(error)
  }
}

function bind(transaction: postgres.TransactionSql, call: Call): Bounded {
  return {
    unsafe: (query, parameters, options) =>
      new Statement(async (asArrays) => {
        refuseExpired(call)
        return send(transaction, query, parameters, options, asArrays)
      }),
    savepoint: async <T>(work: Work<T>) => {
      refuseExpired(call)
      const run = async (inner: postgres.TransactionSql) => ({ done: await work(bind(inner, call)) })
      const result = (await transaction.savepoint(run)) as { done: T }
      return result.done
    }
  }
}

function refuseExpired(call: Call): void {
  if (call.expired) throw unavailable(new Error('the transaction took too long'))
}
