import type { Config } from '../../../config.js'
import type { PublicJwk } from '../../../features/keys/types.js'
import type { Db } from '../../../plugins/database/index.js'
import type { Progress } from '../../progress.js'
import { type Finding, skip } from '../finding.js'
import { withAccount } from './account.js'
import { checkAddress } from './address.js'
import { checkAnswers } from './answers.js'
import { type Ask, createAsk } from './ask.js'
import { checkKeySet } from './key-set.js'
import { checkOutside } from './outside.js'
import { checkProtected } from './protected.js'
import { checkReach } from './reach.js'
import { checkScheme } from './scheme.js'

/** What the database says that the key set endpoint publishes; undefined where that is not known. */
export type Published = PublicJwk[] | undefined

export interface GatewayOptions {
  base: string
  protectedPaths: string[]
  config: Config
  progress: Progress
  signal: AbortSignal
  /** Undefined when there is none to be asked: then there is no account to try with. */
  database: { db: Db; published: Published } | undefined
}

const ACCOUNT_CHECKS = ['gateway: client address', 'gateway: protected paths']

/** Looks at a gateway from outside, as a client would, and as one that cheats. */
export async function examineGateway(options: GatewayOptions): Promise<Finding[]> {
  const { base, config, progress, signal, database } = options
  const ask = createAsk(base, signal)
  progress.say(`asking ${base} …`)
  const reached = await checkReach(ask, base, config)
  if (reached.some(({ status }) => status === 'fail')) {
    return [...reached, skip('gateway: the rest', 'not while it does not lead to this service')]
  }
  const open = [
    ...(await checkAnswers(ask)),
    await checkScheme(ask, base, config),
    ...(await checkKeySet(ask, config, database?.published)),
    ...(await checkOutside(ask, progress))
  ]
  return [...reached, ...open, ...(await checkSignedIn(ask, options))]
}

async function checkSignedIn(ask: Ask, { database, config, progress, signal, protectedPaths }: GatewayOptions) {
  if (database === undefined) return ACCOUNT_CHECKS.map((check) => skip(check, 'not without the database'))
  return await withAccount(database.db, config, async (account) => {
    progress.say('signing in through the gateway …')
    const { findings, token } = await checkAddress({ ask, progress, signal }, account, config)
    if (token === undefined) return [...findings, skip('gateway: protected paths', 'not without a login')]
    progress.say('trying the protected paths …')
    return [...findings, ...(await checkProtected(ask, protectedPaths, { userId: account.userId, token }))]
  })
}
