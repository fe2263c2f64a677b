import type { Static, TSchema } from '@sinclair/typebox'
import { parseDatabaseUrl } from '../lib/database-url.js'
import { compileOwnerRule } from '../lib/owner-rule.js'
import { parseRedisUrl } from '../lib/redis-url.js'
import { MIN_SECRET_BYTES, placeholder, weakness } from '../lib/secret-strength.js'
import type { SettingType } from './types.js'

export interface Setting<Schema extends TSchema = TSchema, Default extends string | undefined = string | undefined> {
  /** The environment variable. A secret can also be given as the path of a file, under this name and `_FILE`. */
  name: string
  type: SettingType<Schema>
  /** As text, as it would stand in the environment. */
  default: Default
  productionDefault?: string
  /** What the documents say instead of the default. */
  shownDefault?: string
  requiredInProduction?: boolean
  /** Completes the sentence "NAME must be …". */
  allowed: string
  /** A value that the type takes; of a secret, a sample that production refuses. */
  example: string
  description: string
  secret?: boolean
  /** What is wrong with a value of the right type, to follow the name; never contains the value. */
  refuse?(value: Static<Schema>, context: SettingContext): string | undefined
}

export interface SettingContext {
  environment: string
  production: boolean
}

export function setting<Schema extends TSchema, const Default extends string | undefined>(
  definition: Setting<Schema, Default>
): Setting<Schema, Default> {
  return definition
}

/** The default in Markdown, as the documents have it. */
export function defaultOf({ shownDefault, default: text }: Pick<Setting, 'shownDefault' | 'default'>): string {
  return shownDefault ?? (text ? `\`${text}\`` : 'none')
}

export const SECRET_RULE = `${MIN_SECRET_BYTES} random bytes or more; \`npm run secret\` prints a good one`
export const LIFETIME = 'a duration in whole seconds, such as `90s`, `15m`, `24h` or `7d`'
export const RATE = '`attempts/seconds`; `off` is refused in production'

export const SAMPLE_DATABASE_URL = 'postgres://postern:change-me@localhost:5432/postern'
export const SAMPLE_REDIS_URL = 'redis://postern:change-me@localhost:6379/0'

export function refuseSecret(bytes: Buffer, { production }: SettingContext): string | undefined {
  const secret = bytes.toString('utf8')
  const sample = production ? placeholder(secret) : undefined
  return weakness(secret) ?? sample
}

export function refuseOff(limit: unknown, { production }: SettingContext): string | undefined {
  return limit === null && production ? 'is `off`, which production refuses' : undefined
}

/** RFC 8414, section 2: an issuer uses https. A loopback address is for those who try production at home. */
export function refusePlainHttp(issuer: string, { production }: SettingContext): string | undefined {
  const { protocol, hostname } = new URL(issuer)
  const loopback = /^(localhost|.*\.localhost|127(\.[0-9]+){3}|\[::1\])$/.test(hostname)
  if (production && protocol === 'http:' && !loopback) return 'begins with http:, and production requires https:'
  return undefined
}

export function refuseClients(pairs: { secret: string }[], { production }: SettingContext): string | undefined {
  if (!production) return undefined
  const reasons = pairs.map(({ secret }) => weakness(secret) ?? placeholder(secret))
  const reason = reasons.find((found) => found !== undefined)
  return reason === undefined ? undefined : `has a secret that ${reason}`
}

export function refuseToken(token: string, { production }: SettingContext): string | undefined {
  return production ? (weakness(token) ?? placeholder(token)) : undefined
}

export function refuseDatabaseUrl(url: string, { production }: SettingContext): string | undefined {
  try {
    parseDatabaseUrl(url)
  } catch (error) {
    return (error as Error).message
  }
  return production && url === SAMPLE_DATABASE_URL ? 'is the sample value' : undefined
}

export function refuseRedisUrl(url: string, { production }: SettingContext): string | undefined {
  try {
    parseRedisUrl(url)
  } catch (error) {
    return (error as Error).message
  }
  return production && url === SAMPLE_REDIS_URL ? 'is the sample value' : undefined
}

export function refuseEverybody(items: string[], { production }: SettingContext): string | undefined {
  const all = items.some((item) => item.endsWith('/0'))
  return production && all ? 'trusts every address, so that any client could choose its own' : undefined
}

export function refuseOwnerPaths(rules: string[]): string | undefined {
  const faults = rules.map((rule, index) => ({ place: index + 1, fault: compileOwnerRule(rule).fault }))
  const first = faults.find(({ fault }) => fault !== undefined)
  return first && `has a rule, number ${first.place}, that ${first.fault}`
}
