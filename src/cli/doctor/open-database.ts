import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type postgres from 'postgres'
import { type Config, ConfigError } from '../../config.js'
import type { Db } from '../../plugins/database/index.js'
import { failure } from '../failure.js'
import { requireDatabase } from '../require-database.js'
import { withDatabaseUrl } from '../with-database.js'
import { type Finding, fail, warn } from './finding.js'

/**
 * Connects to the configured database and lets `use` look at it. Returns what kept it from that, or broke it off. An embedded
 * database that was never made is not made for this.
 */
export async function lookAtDatabase(
  config: Config,
  use: (sql: postgres.Sql, db: Db) => Promise<void>
): Promise<Finding[]> {
  const missing = missingDatabase(config)
  if (missing !== undefined) return [missing]
  const { withSession } = await import('../../plugins/database/once.js')
  try {
    await withDatabaseUrl(config, (url) => withSession(url, use))
    return []
  } catch (error) {
    return [fail('database', failure(error).message, adviceFor(config))]
  }
}

function missingDatabase(config: Config): Finding | undefined {
  try {
    requireDatabase(config)
  } catch (error) {
    const [fault] = error instanceof ConfigError ? error.faults : []
    if (fault === undefined) throw error
    return fail('database', `${fault.name} ${fault.rule}`, fault.example)
  }
  if (config.databaseUrl !== undefined || existsSync(join(config.dataDir, 'postgres'))) return undefined
  return warn('database', `there is no embedded PostgreSQL in ${config.dataDir} yet`, 'the first start makes it')
}

function adviceFor({ databaseUrl, dataDir }: Config): string {
  if (databaseUrl === undefined) return `see whether a service that uses ${dataDir} is starting or ending`
  return 'see whether it runs, whether this machine may connect to it, and DATABASE_URL'
}
