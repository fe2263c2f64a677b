import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { CHECKS } from './settings/checks.js'
import { type Environment, type Fault, readSettings, type SettingState } from './settings/read.js'
import type { SettingValues } from './settings/table.js'

export interface RateLimit {
  max: number
  windowSeconds: number
}

/** Everything that can be set, validated once at the start and frozen. Secrets are bytes, never to be printed. */
export interface Config {
  environment: 'development' | 'production' | 'test'
  /** Turns the safety checks on. */
  production: boolean
  host: string
  /** 0: any free port. */
  port: number
  /** Undefined: an embedded PostgreSQL under `dataDir`. */
  databaseUrl: string | undefined
  databaseTimeoutMs: number
  /** Absolute path. */
  dataDir: string
  /** No slash at the end. */
  issuer: string
  audience: string
  /** Undefined only before `resolveAuthSecret`, and only with the embedded database. */
  authSecret: Buffer | undefined
  authSecretPrevious: Buffer | undefined
  jwtSecret: Buffer | undefined
  /** For new key pairs; without effect when `jwtSecret` is set. */
  jwtAlgorithm: 'ES256' | 'EdDSA' | 'RS256'
  accessTokenTtlSeconds: number
  refreshTokenTtlSeconds: number
  sessionTtlSeconds: number
  refreshReuseIntervalSeconds: number
  bcryptCost: number
  passwordPolicy: 'classic' | 'nist'
  /** Undefined: that limit is off. */
  rateLimits: { login: RateLimit | undefined; signup: RateLimit | undefined; refresh: RateLimit | undefined }
  /** Undefined: each instance counts for itself. */
  redisUrl: string | undefined
  /** Addresses, CIDR ranges, `loopback`, `private`. */
  trustProxy: string[]
  /** Rules such as `/api/:user_id/*`, each of which compiles. */
  ownerPaths: string[]
  clients: { id: string; secret: string }[]
  eventsRetentionSeconds: number
  corsOrigins: string[]
  hashConcurrency: number
  hashQueueSeconds: number
  keyRotationSeconds: number
  keyPublishAheadSeconds: number
  /** Undefined: `/metrics` asks for nothing. */
  metricsToken: string | undefined
  /** No slash at the end. Undefined: nothing is traced. */
  otlpEndpoint: string | undefined
  /** Of the requests that nobody before us has decided about, from 0 to 1. */
  tracesShare: number
  docs: boolean
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  shutdownDelayMs: number
  /** From the signal to the end, `shutdownDelayMs` included. */
  shutdownTimeoutMs: number
  /** The same as text, for an operator to read; of a secret only whether there is one. */
  settings: SettingState[]
}

/** Every wrong setting at once. The message is for the operator's terminal and contains no value of a secret. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    const list = faults.map(({ name, rule, example }) => `  ${name} ${rule}\n    for example: ${example}`)
    super(`${faults.length === 1 ? '1 setting is' : `${faults.length} settings are`} wrong:\n${list.join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** A Buffer cannot be frozen, so secrets are the one thing that only convention keeps as it is. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}

/**
 * The configuration that this environment means. Throws ConfigError with every fault.
 * `authSecret` is undefined when it is neither set nor required: see `resolveAuthSecret`.
 */
export function loadConfig(env: Environment): Config {
  const { values, states, faults } = readSettings(env)
  faults.push(...CHECKS.map((check) => check(values, env)).filter((fault) => fault !== undefined))
  if (faults.length > 0) throw new ConfigError(faults)
  const { rateLimitLogin, rateLimitSignup, rateLimitRefresh, ...rest } = values as SettingValues
  return deepFreeze({
    ...rest,
    settings: states,
    production: rest.environment === 'production',
    rateLimits: {
      login: rateLimitLogin ?? undefined,
      signup: rateLimitSignup ?? undefined,
      refresh: rateLimitRefresh ?? undefined
    }
  })
}

function readDotEnv(path: string): Environment {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw new ConfigError([{ name: '.env', rule: 'cannot be read', example: 'chmod 600 .env' }])
  }
}

/**
 * The environment of this process, in development completed by the file `.env` of the working folder: what is
 * really set wins, and production never reads the file.
 */
export function readEnvironment(env: Environment = process.env, dotEnvPath = '.env'): Environment {
  const development = (env.NODE_ENV || 'development') === 'development'
  return development ? { ...readDotEnv(dotEnvPath), ...env } : { ...env }
}
