import { Command } from 'commander'
import { loadConfig, readEnvironment } from '../config.js'
import { withDatabaseUrl } from './with-database.js'

/** `postern migrate`: brings the database to this version, as a start of the service would, and ends. */
export function migrateCommand(): Command {
  return new Command('migrate').description('apply the migrations and end').action(async () => {
    const { migrateDatabase } = await import('../plugins/database/migrate.js')
    const applied = await withDatabaseUrl(loadConfig(readEnvironment()), migrateDatabase)
    process.stdout.write(applied === 0 ? 'nothing to migrate\n' : `${applied} migrations applied\n`)
  })
}
