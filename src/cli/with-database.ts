import type { Config } from '../config.js'
import type { Db } from '../plugins/database/index.js'
import { createProgress } from './progress.js'
import { requireDatabase } from './require-database.js'

/**
 * For a command: `use` gets the URL of the configured database. The embedded one may belong to a running service, which is not
 * disturbed; otherwise it runs for as long as it takes. Throws ConfigError when there is neither.
 */
export async function withDatabaseUrl<T>(config: Config, use: (url: string) => Promise<T>): Promise<T> {
  requireDatabase(config)
  const { databaseUrl, dataDir } = config
  if (databaseUrl !== undefined) return use(databaseUrl)
  const { findRunning } = await import('../plugins/database/embedded/running.js')
  const running = await findRunning(dataDir)
  if (running !== undefined) return use(running)
  const { startEmbedded } = await import('../plugins/database/embedded.js')
  const progress = createProgress()
  progress.say('starting the embedded PostgreSQL …')
  const server = await startEmbedded({ dataDir }).finally(() => progress.end())
  try {
    return await use(server.url)
  } finally {
    await server.stop()
  }
}

/** As {@link withDatabaseUrl}, with a connection. Throws when the database has another version than this program. */
export async function withDatabase<T>(config: Config, use: (db: Db) => Promise<T>): Promise<T> {
  const { withDb } = await import('../plugins/database/once.js')
  return await withDatabaseUrl(config, (url) => withDb(url, use))
}
