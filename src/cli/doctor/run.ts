import { type Config, ConfigError, loadConfig } from '../../config.js'
import { EXIT_WRONG_SETTING } from '../../lib/exit-codes.js'
import { systemClock } from '../../plugins/clock.js'
import type { Db } from '../../plugins/database/index.js'
import type { Environment } from '../../settings/read.js'
import type { Progress } from '../progress.js'
import { checkDataDir } from './data-dir.js'
import { checkDatabase } from './database.js'
import { type Finding, ok, skip, warn } from './finding.js'
import { checkHashing } from './hashing.js'
import { judgeKeys, readKeys, secretFault, withKeptSecret } from './keys.js'
import { lookAtDatabase } from './open-database.js'
import { checkRedis } from './redis.js'
import { hasFailed } from './report.js'
import { checkSettings, settingFaults } from './settings.js'
import type { Published } from './through/gateway.js'

export interface DoctorOptions {
  /** The URL of a gateway, without a slash at the end. */
  through: string | undefined
  /** Paths of APIs that the gateway protects. */
  protectedPaths: string[]
  progress: Progress
  /** Ends the checks; what they made is removed all the same. */
  signal: AbortSignal
}

interface Examined {
  findings: Finding[]
  exitCode: number
}

/** Looks at everything, changes nothing that stays, and does not reject for what it finds. */
export async function examine(env: Environment, options: DoctorOptions): Promise<Examined> {
  let config: Config
  try {
    config = loadConfig(env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const rest = skip('everything else', 'not before the settings are right')
    return { findings: [...settingFaults(error), rest], exitCode: EXIT_WRONG_SETTING }
  }
  const findings = await examineWith(config, env, options)
  return { findings, exitCode: hasFailed(findings) ? 1 : 0 }
}

async function examineWith(config: Config, env: Environment, options: DoctorOptions): Promise<Finding[]> {
  const { progress, signal } = options
  const findings = checkSettings({ config, env })
  progress.say('measuring bcrypt …')
  findings.push(checkDataDir(config), await checkHashing(config), await checkRedis(config))
  progress.say('asking the database …')
  let gatewayDone = false
  const trouble = await lookAtDatabase(config, async (sql, db) => {
    const { findings: found, migrated } = await checkDatabase(sql, config.production, systemClock.now)
    findings.push(...found)
    if (!migrated) return
    const rows = await checkRows(db, config)
    findings.push(...rows.findings)
    gatewayDone = true
    findings.push(...(await checkGateway(config, options, { db, published: rows.published })))
  })
  signal.throwIfAborted()
  findings.push(...trouble)
  // Another store that the settings name is looked at here, as the database is.
  if (!gatewayDone) findings.push(...(await checkGateway(config, options, undefined)))
  return findings
}

/** What the rows of the database say, once it has this program's tables. */
async function checkRows(db: Db, config: Config): Promise<{ findings: Finding[]; published: Published }> {
  const { findAnyAdmin } = await import('../../features/users/store.js')
  const admin = (await findAnyAdmin(db))
    ? ok('admin', 'there is one')
    : warn('admin', 'there is none, so nobody can use /admin/', '`postern admin create EMAIL` makes one')
  try {
    const known = await withKeptSecret(config)
    if (known === undefined) {
      return {
        findings: [warn('signing key', 'there is no AUTH_SECRET yet', 'the first start makes it'), admin],
        published: undefined
      }
    }
    const facts = await readKeys(db, known, systemClock)
    return { findings: [...judgeKeys(facts, known, systemClock.now()), admin], published: facts.published }
  } catch (error) {
    return { findings: [secretFault(error), admin], published: undefined }
  }
}

async function checkGateway(
  config: Config,
  { through, protectedPaths, progress, signal }: DoctorOptions,
  database: { db: Db; published: Published } | undefined
): Promise<Finding[]> {
  if (through === undefined) return [skip('gateway', 'not asked for: --through URL')]
  const { examineGateway } = await import('./through/gateway.js')
  return await examineGateway({ base: through, protectedPaths, config, progress, signal, database })
}
