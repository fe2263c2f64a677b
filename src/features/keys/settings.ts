import type { Schedule } from './lifecycle.js'
import type { Secrets } from './ring.js'
import type { AsymmetricAlgorithm } from './types.js'

export interface KeySettings {
  authSecret: Buffer | undefined
  authSecretPrevious: Buffer | undefined
  jwtSecret: Buffer | undefined
  jwtAlgorithm: AsymmetricAlgorithm
  keyRotationSeconds: number
  keyPublishAheadSeconds: number
  accessTokenTtlSeconds: number
}

/** What of the configuration is about keys. Throws without an `authSecret`. */
export function keySettings(config: KeySettings): { secrets: Secrets; schedule: Schedule } {
  const { authSecret, authSecretPrevious, jwtSecret } = config
  if (authSecret === undefined) throw new Error('signing keys need AUTH_SECRET')
  return {
    secrets: { authSecret, authSecretPrevious, jwtSecret },
    schedule: {
      algorithm: config.jwtAlgorithm,
      rotationSeconds: config.keyRotationSeconds,
      publishAheadSeconds: config.keyPublishAheadSeconds,
      tokenTtlSeconds: config.accessTokenTtlSeconds
    }
  }
}
