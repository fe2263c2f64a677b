import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, ConfigError } from './config.js'
import { keptSecret } from './lib/kept-secret.js'
import { weakness } from './lib/secret-strength.js'

const FILE = 'auth-secret'

/**
 * The configuration with an `authSecret`: the one that was set, else the one that DATA_DIR keeps, which is made at the
 * first start (only with the embedded database: `loadConfig` has seen to that). Throws ConfigError.
 */
export function resolveAuthSecret(config: Config): Config {
  if (config.authSecret !== undefined) return config
  const secret = kept(config.dataDir)
  const settings = config.settings.map((setting) =>
    setting.name === 'AUTH_SECRET' ? { ...setting, source: 'generated' as const, isSet: true } : setting
  )
  return Object.freeze({ ...config, authSecret: Buffer.from(secret, 'utf8'), settings })
}

/** Whether DATA_DIR keeps one already: asking makes none. */
export function hasKeptSecret({ dataDir }: Pick<Config, 'dataDir'>): boolean {
  return existsSync(join(dataDir, FILE))
}

function kept(dataDir: string): string {
  try {
    const secret = keptSecret(dataDir, FILE)
    const reason = weakness(secret)
    if (reason === undefined) return secret
    throw fault(`is damaged: what the file ${join(dataDir, FILE)} holds ${reason}`)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw fault(`cannot be kept in ${join(dataDir, FILE)}${code}: set it, or make DATA_DIR a folder of this user`)
  }
}

function fault(rule: string): ConfigError {
  return new ConfigError([{ name: 'AUTH_SECRET', rule, example: 'AUTH_SECRET="$(npm run --silent secret)"' }])
}
