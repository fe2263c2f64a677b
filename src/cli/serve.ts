import { Command } from 'commander'
import { resolveAuthSecret } from '../auth-secret.js'
import { loadConfig, readEnvironment } from '../config.js'
import { createLogger } from '../plugins/logger.js'
import { misspelled } from '../settings/misspelled.js'
import { documented, type Notes } from './documented.js'
import { requireDatabase } from './require-database.js'

const NOTES: Notes = {
  about: [
    'SIGTERM ends it in order: what was read is answered. The log is one JSON object a line, on a terminal in development text.'
  ],
  examples: [
    ['postern serve', 'on an embedded PostgreSQL under DATA_DIR'],
    ['DATABASE_URL=postgres://… AUTH_SECRET_FILE=… postern serve', 'on one of your own'],
    ['postern serve --json | jq .msg']
  ],
  exits: {
    0: 'after a signal',
    1: 'an error that nobody caught, or a second signal',
    78: 'also when the port or DATA_DIR is taken'
  }
}

/** `postern serve`: runs the service until it is told to stop. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('run the service')
    .option('--json', 'the log as JSON, on a terminal, too', false)
    .action(async ({ json }: { json: boolean }) => {
      const env = readEnvironment()
      const loaded = loadConfig(env)
      requireDatabase(loaded)
      const config = resolveAuthSecret(loaded)
      const terminal = !json && process.stdout.isTTY === true && config.environment === 'development'
      const logger = await createLogger({ level: config.logLevel, pretty: terminal })
      for (const { name, meant } of misspelled(env)) {
        logger.warn({ name, meant }, 'an unknown setting, which has no effect')
      }
      // Loaded last: wrong settings are told at once, and the other commands do without it.
      const { serve } = await import('../server.js')
      await serve(config, { logger, terminal })
    })
  return documented(command, NOTES)
}
