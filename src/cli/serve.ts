import { Command } from 'commander'
import { resolveAuthSecret } from '../auth-secret.js'
import { loadConfig, readEnvironment } from '../config.js'
import { createLogger } from '../plugins/logger.js'
import { misspelled } from '../settings/misspelled.js'
import { requireDatabase } from './require-database.js'

/** `postern serve`: runs the service until it is told to stop. */
export function serveCommand(): Command {
  return new Command('serve').description('run the service').action(async () => {
    const env = readEnvironment()
    const loaded = loadConfig(env)
    requireDatabase(loaded)
    const config = resolveAuthSecret(loaded)
    const terminal = process.stdout.isTTY === true && config.environment === 'development'
    const logger = await createLogger({ level: config.logLevel, pretty: terminal })
    for (const { name, meant } of misspelled(env)) {
      logger.warn({ name, meant }, 'an unknown setting, which has no effect')
    }
    // Loaded last: wrong settings are told at once, and the other commands do without it.
    const { serve } = await import('../server.js')
    await serve(config, { logger, terminal })
  })
}
