import { type Environment, type Fault, faultOf } from './read.js'
import type { SettingValues } from './table.js'

type Check = (values: Partial<SettingValues>, env: Environment) => Fault | undefined

/** With a database of one's own there may be several instances, and each would generate another secret. */
const authSecretWithDatabase: Check = (_values, env) => {
  const isSet = (name: string) => Boolean(env[name] || env[`${name}_FILE`])
  if (!isSet('DATABASE_URL') || isSet('AUTH_SECRET')) return undefined
  return faultOf(
    'authSecret',
    'is required with DATABASE_URL; `npm run secret` (or `postern secret`) prints a good one'
  )
}

const accessWithinSession: Check = ({ accessTokenTtlSeconds: access, sessionTtlSeconds: session }) =>
  access !== undefined && session !== undefined && access > session
    ? faultOf('accessTokenTtlSeconds', 'must not be above SESSION_TTL')
    : undefined

const publishAheadWithinRotation: Check = ({ keyPublishAheadSeconds: ahead, keyRotationSeconds: rotation }) =>
  ahead !== undefined && rotation !== undefined && ahead > rotation
    ? faultOf('keyPublishAheadSeconds', 'must not be above KEY_ROTATION, or the next key is never due in time')
    : undefined

const delayWithinTimeout: Check = ({ shutdownDelayMs: delay, shutdownTimeoutMs: timeout }) =>
  delay !== undefined && timeout !== undefined && delay >= timeout
    ? faultOf('shutdownDelayMs', 'must be below SHUTDOWN_TIMEOUT, which counts from the signal')
    : undefined

/** Verifiers know JWT_SECRET. One that also knew AUTH_SECRET could make refresh tokens and read signing keys. */
const separateSecrets: Check = ({ environment, authSecret, authSecretPrevious, jwtSecret }) => {
  if (environment !== 'production' || jwtSecret === undefined) return undefined
  const shared = [authSecret, authSecretPrevious].some((secret) => secret?.equals(jwtSecret))
  return shared ? faultOf('jwtSecret', 'must differ from AUTH_SECRET: whoever verifies tokens knows it') : undefined
}

/** What no single setting can know. Settings that are at fault by themselves are not judged again. */
export const CHECKS: readonly Check[] = [
  authSecretWithDatabase,
  accessWithinSession,
  publishAheadWithinRotation,
  delayWithinTimeout,
  separateSecrets
]
