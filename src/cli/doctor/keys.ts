import { type Config, ConfigError } from '../../config.js'
import type { KeyDescription, PublicJwk } from '../../features/keys/types.js'
import type { Clock } from '../../plugins/clock.js'
import type { Db } from '../../plugins/database/index.js'
import { type Finding, fail, ok, warn } from './finding.js'

const CHECK = 'signing key'
const DAY_MS = 86_400_000

export interface KeyFacts {
  keys: KeyDescription[]
  /** Of keys that this AUTH_SECRET does not open. */
  sealed: string[]
  /** Why nothing can be signed; undefined when it can. */
  fault: string | undefined
  /** What the endpoint should publish; undefined when nothing can be signed. */
  published: PublicJwk[] | undefined
}

/** Reads the keys as the service does, and changes nothing. `config` has its `authSecret`. */
export async function readKeys(db: Db, config: Config, clock: Clock): Promise<KeyFacts> {
  const { createKeys } = await import('../../features/keys/service.js')
  const { keySettings } = await import('../../features/keys/settings.js')
  const { record } = await import('../../features/events/service.js')
  const sealed: string[] = []
  const log = { error: ({ kids }: { kids?: string[] }) => void sealed.push(...(kids ?? [])) }
  const service = createKeys({ db, events: { record }, clock, log, ...keySettings(config) })
  await service.load()
  const keys = await service.list()
  try {
    service.current()
    return { keys, sealed, fault: undefined, published: service.jwks().keys }
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    return { keys, sealed, fault: cause instanceof Error ? cause.message : String(error), published: undefined }
  }
}

/** How old the key is that signs, and when which one follows. */
export function judgeKeys({ keys, sealed, fault }: KeyFacts, config: Config, now: number): Finding[] {
  const current = keys.find(({ state }) => state === 'current')
  if (keys.length === 0) return [warn(CHECK, 'there is none yet', 'the first start makes it')]
  if (fault !== undefined || current === undefined) {
    return [fail(CHECK, fault ?? 'none signs', 'see `postern keys list`, and AUTH_SECRET')]
  }
  const age = `${current.algorithm} ${current.kid} signs for ${days(now - current.activeAt.getTime())}`
  if (current.algorithm === 'HS256') return [ok(CHECK, `${age}, under JWT_SECRET`)]
  const lost = keys.filter(({ kid, state }) => sealed.includes(kid) && ['next', 'previous'].includes(state))
  const others = lost.map(({ kid, state }) =>
    fail(
      CHECK,
      `AUTH_SECRET does not open the ${state} key ${kid}`,
      'give the one that sealed it as AUTH_SECRET_PREVIOUS'
    )
  )
  return [nextFinding(age, keys, config), ...others]
}

function nextFinding(age: string, keys: KeyDescription[], { jwtAlgorithm }: Config): Finding {
  const next = keys.find(({ state }) => state === 'next')
  if (next === undefined)
    return warn(CHECK, `${age}; there is no next one`, 'a running instance makes it: is one running?')
  const change = next.algorithm === jwtAlgorithm ? '' : `, and JWT_ALGORITHM=${jwtAlgorithm} counts from the next start`
  return ok(CHECK, `${age}; ${next.kid} follows on ${next.activeAt.toISOString().slice(0, 10)}${change}`)
}

function days(ms: number): string {
  if (ms < DAY_MS) return `${Math.max(0, Math.floor(ms / 3_600_000))} h`
  return `${Math.floor(ms / DAY_MS)} d`
}

/** The settings with the secret that DATA_DIR keeps, if it does: unlike a start, makes none. Undefined without one. */
export async function withKeptSecret(config: Config): Promise<Config | undefined> {
  const { hasKeptSecret, resolveAuthSecret } = await import('../../auth-secret.js')
  if (config.authSecret === undefined && !hasKeptSecret(config)) return undefined
  return resolveAuthSecret(config)
}

/** A kept secret that is damaged. */
export function secretFault(error: unknown): Finding {
  if (!(error instanceof ConfigError)) throw error
  const [fault] = error.faults
  return fail('secrets', `${fault?.name} ${fault?.rule}`, fault?.example ?? '')
}
