import { Command } from 'commander'
import { loadConfig, readEnvironment } from '../config.js'
import { documented, type Notes } from './documented.js'
import { createProgress } from './progress.js'
import { withDatabaseUrl } from './with-database.js'

const NOTES: Notes = {
  about: ['A start of the service does the same. Run it ahead of a release to know that it can be done.'],
  examples: [['postern migrate'], ['postern migrate --json']],
  exits: { 1: 'the database is away, too old, or of a later version', 78: '' }
}

/** `postern migrate`: brings the database to this version, as a start of the service would, and ends. */
export function migrateCommand(): Command {
  const command = new Command('migrate')
    .description('apply the migrations that are missing, and end')
    .option('--json', 'as JSON: how many were applied', false)
    .action(async ({ json }: { json: boolean }) => {
      const { migrateDatabase } = await import('../plugins/database/migrate.js')
      const progress = createProgress()
      const applied = await withDatabaseUrl(loadConfig(readEnvironment()), (url) => {
        progress.say('applying the migrations …')
        return migrateDatabase(url)
      }).finally(() => progress.end())
      const text = applied === 0 ? 'nothing to migrate' : `${applied} migrations applied`
      process.stdout.write(json ? `${JSON.stringify({ applied })}\n` : `${text}\n`)
    })
  return documented(command, NOTES)
}
