import type { PgDatabase } from 'drizzle-orm/pg-core'
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js'
import fp from 'fastify-plugin'
import { unavailable } from '../../errors.js'
import { type DatabaseTarget, parseDatabaseUrl } from '../../lib/database-url.js'
import { boundedDb } from './client.js'
import { Connections } from './connections.js'
import { type EmbeddedDatabase, openEmbedded } from './embedded.js'
import { type DatabaseState, Lifecycle } from './lifecycle.js'
import { refuseUnpatchedDriver } from './patched.js'
import type { SlotStats } from './slots.js'

export type { DatabaseState } from './lifecycle.js'

/** What a store takes first: the pool, or an open transaction. */
export type Db = PgDatabase<PostgresJsQueryResultHKT>

export interface Database {
  /** `ready` when it is connected, migrated and every hook has run; never older than two seconds. */
  state(): DatabaseState
  /** Where the database is, for the log: no secret. */
  describe(): string
  /** What this instance asks of it at the moment. */
  stats(): SlotStats
  /**
   * Adds a step of the start, to run in the order of registration once the database is migrated. A step that fails is
   * repeated with the whole start; after an outage none is.
   */
  onReady(hook: () => Promise<void>): void
}

export interface DatabaseOptions {
  /** Undefined: an embedded PostgreSQL under `dataDir`. */
  databaseUrl: string | undefined
  dataDir: string
  /** No caller waits longer than this; then it gets `unavailable`. */
  databaseTimeoutMs: number
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * There at once. A query or a transaction rejects with ApiError `unavailable` (as the `cause` of Drizzle's error)
     * when the database is away, not migrated yet, or too slow.
     */
    db: Db
    database: Database
  }
}

/**
 * `app.db` and `app.database`: Drizzle over postgres.js, by URL or embedded. Registering it does not wait for the
 * database; it rejects when the URL cannot be read, when there is no embedded PostgreSQL to run, and with `DataDirInUse`.
 */
export default fp<DatabaseOptions>(
  async (app, { databaseUrl, dataDir, databaseTimeoutMs }) => {
    refuseUnpatchedDriver()
    const onCreate = () =>
      app.log.info({ folder: dataDir }, 'making the embedded database; this takes some seconds, once')
    const embedded = databaseUrl === undefined ? await openEmbedded({ dataDir, onCreate }) : undefined
    const target = databaseUrl === undefined ? undefined : readUrl(databaseUrl)
    for (const warning of target?.warnings ?? []) app.log.warn(warning)
    const connections = new Connections(databaseTimeoutMs, app.log)
    if (target) connections.open(target)
    const lifecycle = new Lifecycle(
      {
        prepare: async () => {
          if (embedded) connections.open(parseDatabaseUrl((await embedded.ensureRunning()).url))
        },
        migrate: () => connections.migrate(),
        probe: () => connections.probe()
      },
      app.log
    )
    const refusal = () => (lifecycle.open ? undefined : unavailable(new Error('the database is not ready')))
    app.decorate(
      'db',
      boundedDb(() => connections.pool, connections.slots, refusal)
    )
    app.decorate('database', {
      state: () => lifecycle.state,
      describe: () => describe(target, embedded),
      stats: () => connections.slots.stats(),
      onReady: (hook) => lifecycle.onReady(hook)
    })
    app.addHook('onReady', async () => lifecycle.run())
    app.addHook('onClose', async () => {
      await Promise.all([lifecycle.close(), connections.close()])
      await embedded?.stop()
    })
  },
  { name: 'database' }
)

function readUrl(url: string): DatabaseTarget {
  try {
    return parseDatabaseUrl(url)
  } catch (error) {
    throw new Error(`DATABASE_URL ${(error as Error).message}`)
  }
}

function describe(target: DatabaseTarget | undefined, embedded: EmbeddedDatabase | undefined): string {
  if (!target) return `embedded PostgreSQL in ${embedded?.dataDir}`
  const hosts = target.hosts.map(({ host, port }) => `${host}:${port}`)
  return `PostgreSQL at ${hosts.join(',')}/${target.database}`
}
