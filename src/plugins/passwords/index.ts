import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fp from 'fastify-plugin'
import { packageRoot } from '../../lib/package-root.js'
import type { PasswordPolicy } from '../../lib/password-policy.js'
import { createPasswords, type Passwords } from './passwords.js'

export type { Passwords } from './passwords.js'

declare module 'fastify' {
  interface FastifyInstance {
    passwords: Passwords
  }
}

interface PasswordsOptions {
  bcryptCost: number
  passwordPolicy: PasswordPolicy
  hashConcurrency: number
  hashQueueSeconds: number
  /** Tests alone hash at a cost below 10. */
  environment: string
}

const COST_FLOOR = 10

/** One lower-case password a line; `scripts/common-passwords.js` says where they come from. */
function readCommonPasswords(): ReadonlySet<string> {
  return new Set(readFileSync(join(packageRoot(), 'data/common-passwords.txt'), 'utf8').split('\n').filter(Boolean))
}

/** The password policy, and bcrypt behind a bounded queue. */
export default fp<PasswordsOptions>(
  async (app, options) => {
    if (options.bcryptCost < COST_FLOOR && options.environment !== 'test') {
      throw new Error(`a bcrypt cost below ${COST_FLOOR} is for tests`)
    }
    const passwords = createPasswords({
      cost: options.bcryptCost,
      policy: options.passwordPolicy,
      concurrency: options.hashConcurrency,
      queueSeconds: options.hashQueueSeconds,
      common: readCommonPasswords()
    })
    app.decorate('passwords', passwords)
  },
  { name: 'passwords' }
)
