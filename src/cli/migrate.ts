import { Command } from 'commander'
import { type Config, loadConfig, readEnvironment } from '../config.js'
import { requireDatabase } from './require-database.js'

/** `postern migrate`: brings the database to this version, as a start of the service would, and ends. */
export function migrateCommand(): Command {
  return new Command('migrate').description('apply the migrations and end').action(async () => {
    const config = loadConfig(readEnvironment())
    requireDatabase(config)
    const { migrateDatabase } = await import('../plugins/database/migrate.js')
    const applied = await withDatabase(config, migrateDatabase)
    process.stdout.write(applied === 0 ? 'nothing to migrate\n' : `${applied} migrations applied\n`)
  })
}

/** Runs the embedded server for as long as it takes when there is no other. */
async function withDatabase<T>({ databaseUrl, dataDir }: Config, use: (url: string) => Promise<T>): Promise<T> {
  if (databaseUrl !== undefined) return use(databaseUrl)
  const { startEmbedded } = await import('../plugins/database/embedded.js')
  const server = await startEmbedded({ dataDir })
  try {
    return await use(server.url)
  } finally {
    await server.stop()
  }
}
