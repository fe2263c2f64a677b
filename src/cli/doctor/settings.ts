import type { Config, ConfigError } from '../../config.js'
import { placeholder, weakness } from '../../lib/secret-strength.js'
import { fittingIssuer } from '../../settings/issuer-port.js'
import { misspelled } from '../../settings/misspelled.js'
import type { Environment } from '../../settings/read.js'
import { SETTINGS, type Setting } from '../../settings/table.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** The faults that a start would end with. */
export function settingFaults({ faults }: ConfigError): Finding[] {
  return faults.map(({ name, rule, example }) => fail('settings', `${name} ${rule}`, example))
}

interface Given {
  config: Config
  env: Environment
}

/** What can be said of valid settings without asking anybody. */
export function checkSettings(given: Given): Finding[] {
  return [
    ...settings(given),
    environment(given),
    ...issuerPort(given.config),
    ...secrets(given.config),
    proxyTrust(given.config),
    limits(given.config),
    metrics(given.config),
    docs(given.config)
  ]
}

function settings({ env }: Given): Finding[] {
  const set = Object.values<Setting>(SETTINGS).filter(
    ({ name, secret }) => env[name] || (secret && env[`${name}_FILE`])
  )
  const slips = misspelled(env).map(({ name, meant }) =>
    warn(
      'settings',
      `${name} is no setting and has no effect`,
      meant ? `did you mean ${meant}?` : 'see .env.example for all settings'
    )
  )
  return [ok('settings', `valid; ${set.length} of ${Object.keys(SETTINGS).length} are set`), ...slips]
}

function environment({ config }: Given): Finding {
  const { environment, production, issuer } = config
  const name = `NODE_ENV=${environment}`
  if (production) return ok('environment', `${name}: the safety checks are on`)
  if (!issuer.startsWith('https:')) return ok('environment', `${name}: the safety checks are off`)
  return warn(
    'environment',
    `${name}, and ISSUER is ${issuer}: the safety checks are off`,
    'set NODE_ENV=production where others can reach it'
  )
}

/** A port of 0 is whatever is free, and not known here. */
function issuerPort({ issuer, port }: Config): Finding[] {
  const fitting = port === 0 ? undefined : fittingIssuer(issuer, port)
  if (fitting === undefined) return []
  return [warn('issuer', `ISSUER is ${issuer} by itself, and PORT ${port}`, `set ISSUER=${fitting}`)]
}

/** In production the settings refuse what is said here; elsewhere it is for those who are about to go there. */
function secrets({ authSecret, authSecretPrevious, jwtSecret, metricsToken, clients }: Config): Finding[] {
  const given: [string, string | undefined][] = [
    ['AUTH_SECRET', authSecret?.toString('utf8')],
    ['AUTH_SECRET_PREVIOUS', authSecretPrevious?.toString('utf8')],
    ['JWT_SECRET', jwtSecret?.toString('utf8')],
    ['METRICS_TOKEN', metricsToken],
    ...clients.map(({ id, secret }): [string, string] => [`the secret of client ${id}`, secret])
  ]
  const set = given.filter((pair): pair is [string, string] => pair[1] !== undefined)
  const weak = set.flatMap(([name, secret]) => {
    const reason = weakness(secret) ?? placeholder(secret)
    const advice = `\`postern secret\` prints a good one${name === 'JWT_SECRET' || name === 'AUTH_SECRET' ? '; change it before there are users' : ''}`
    return reason === undefined ? [] : [warn('secrets', `${name} ${reason}, which production refuses`, advice)]
  })
  const shared = sharedSecrets(set)
  if (weak.length + shared.length > 0) return [...weak, ...shared]
  const names = set.map(([name]) => name).join(', ')
  return [ok('secrets', set.length === 0 ? 'none is set; AUTH_SECRET is kept in DATA_DIR' : `strong: ${names}`)]
}

function sharedSecrets(set: [string, string][]): Finding[] {
  return set.flatMap(([name, secret], index) => {
    const [other] = set.slice(0, index).find(([, before]) => before === secret) ?? []
    if (other === undefined) return []
    return [warn('secrets', `${name} is the same as ${other}`, 'give each its own: who knows one would know both')]
  })
}

function proxyTrust({ trustProxy, production }: Config): Finding {
  if (trustProxy.length > 0) return ok('proxy trust', `TRUST_PROXY=${trustProxy.join(',')}`)
  if (!production) return ok('proxy trust', 'TRUST_PROXY is not set: no forwarded header is believed')
  return warn(
    'proxy trust',
    'TRUST_PROXY is not set: behind a gateway all clients have its address, and share one limit',
    'set TRUST_PROXY to the address of the gateway, and run this again with --through its URL'
  )
}

function limits({ rateLimits }: Config): Finding {
  const each = Object.entries(rateLimits)
  const off = each.filter(([, limit]) => limit === undefined).map(([name]) => name)
  if (off.length === 0) {
    const numbers = each.map(([name, limit]) => `${name} ${limit?.max}/${limit?.windowSeconds}`)
    return ok('rate limits', `${numbers.join(', ')}, for each address`)
  }
  return warn('rate limits', `off: ${off.join(', ')}`, 'production refuses that: unset RATE_LIMIT_… for the default')
}

/** Whoever reaches the port: a gateway that forwards /auth alone keeps the rest out. */
function metrics({ metricsToken, production }: Config): Finding {
  if (metricsToken !== undefined) return ok('metrics', '/metrics asks for METRICS_TOKEN')
  if (!production) return ok('metrics', '/metrics is open to whoever reaches the port')
  return warn(
    'metrics',
    '/metrics is open to whoever reaches the port',
    'set METRICS_TOKEN, unless that is Prometheus alone'
  )
}

function docs({ docs: on, production }: Config): Finding {
  if (!on) return ok('docs', '/docs is off')
  if (!production) return ok('docs', '/docs is on')
  return warn('docs', '/docs is on in production', 'unset DOCS, unless those who reach the port should read it')
}
