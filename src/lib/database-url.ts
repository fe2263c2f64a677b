import { userInfo } from 'node:os'

/** How a connection is protected; the words are libpq's `sslmode`, `allow` counting as `prefer`. */
export interface TlsRules {
  mode: 'disable' | 'prefer' | 'require'
  /** `ca`: the chain must end in a trusted root; `full`: and the certificate must name the host. */
  verify: 'none' | 'ca' | 'full'
  /** PEM files, read at each connection so that they can be renewed. */
  rootFile?: string
  certFile?: string
  keyFile?: string
  passphrase?: string
  /** TLS from the first byte (PostgreSQL 17). */
  direct: boolean
  minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

export interface DatabaseTarget {
  /** In the order to try; a host that begins with `/` is the folder of a unix socket. */
  hosts: { host: string; port: number }[]
  user: string
  password: string | undefined
  database: string
  tls: TlsRules
  connectTimeoutMs: number | undefined
  /** A standby is passed over, unless the URL says that any server will do. */
  acceptStandby: boolean
  /** Sent when a session starts. */
  parameters: Record<string, string>
  /** What the URL asks for and does not get. */
  warnings: string[]
}

/** What has no meaning here, or is so always. */
const WITHOUT_EFFECT = new Set(
  `client_encoding fallback_application_name gssdelegation gssencmode gsslib keepalives keepalives_count
  keepalives_idle keepalives_interval krbsrvname load_balance_hosts sslcompression sslsni tcp_user_timeout`.split(/\s+/)
)

const SSL_MODES: Record<string, Pick<TlsRules, 'mode' | 'verify'>> = {
  disable: { mode: 'disable', verify: 'none' },
  allow: { mode: 'prefer', verify: 'none' },
  prefer: { mode: 'prefer', verify: 'none' },
  require: { mode: 'require', verify: 'none' },
  'verify-ca': { mode: 'require', verify: 'ca' },
  'verify-full': { mode: 'require', verify: 'full' }
}

/**
 * Reads a connection URI as libpq does (PostgreSQL manual, 34.1.1.2): several hosts, percent-encoded socket folders,
 * `sslmode` and its company. Throws an Error that names what is wrong, and never repeats the URL.
 */
export function parseDatabaseUrl(url: string): DatabaseTarget {
  const parts = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url)
  if (!parts) throw new Error('is no URL of the form postgres://user:password@host:port/database')
  const [, userinfo = '', authority = '', path = '', query = ''] = parts
  const parameters = new Parameters(query)
  const [user, password] = splitOnce(userinfo, ':').map(decode)
  const name = parameters.take('user') ?? (user || userInfo().username)
  return {
    hosts: readHosts(authority, parameters),
    user: name,
    password: parameters.take('password') ?? password,
    database: parameters.take('dbname') ?? (decode(path) || name),
    tls: readTls(parameters),
    connectTimeoutMs: readConnectTimeout(parameters),
    acceptStandby: readStandby(parameters),
    warnings: readWarnings(parameters),
    parameters: parameters.rest()
  }
}

/** The query of the URL; whatever nobody has taken at the end is an error. */
class Parameters {
  readonly #values = new Map<string, string>()

  constructor(query: string) {
    for (const pair of query.split('&').filter(Boolean)) {
      const [name, value] = splitOnce(pair, '=').map(decode)
      if (name === undefined || value === undefined) throw new Error('has a parameter without a value')
      this.#values.set(name, value)
    }
  }

  take(name: string): string | undefined {
    const value = this.#values.get(name)
    this.#values.delete(name)
    return value
  }

  takeOneOf<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.take(name)
    if (value === undefined) return undefined
    const word = words.find((candidate) => candidate === value)
    if (word === undefined) throw new Error(`has a ${name} that is none of ${words.join(', ')}`)
    return word
  }

  rest(): Record<string, string> {
    const parameters: Record<string, string> = {}
    for (const name of ['application_name', 'options']) {
      const value = this.take(name)
      if (value) parameters[name] = value
    }
    const unknown = [...this.#values.keys()].find((name) => !WITHOUT_EFFECT.has(name))
    if (unknown !== undefined) throw new Error(`has a parameter that is not supported: ${unknown}`)
    return parameters
  }
}

function readHosts(authority: string, parameters: Parameters): DatabaseTarget['hosts'] {
  const ports = parameters.take('port')?.split(',')
  const named = parameters.take('hostaddr') ?? parameters.take('host')
  const list = named?.split(',') ?? authority.split(',')
  return list.map((entry, index) => {
    const [, host, port] = named === undefined ? (/^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(entry) ?? []) : [entry, entry]
    if (host === undefined) throw new Error('has a host that cannot be read')
    const number = Number(ports?.[index] || ports?.[0] || port || 5432)
    if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new Error('has a port that is not 1 to 65535')
    return { host: decode(host.replace(/^\[|\]$/g, '')) || 'localhost', port: number }
  })
}

function readTls(parameters: Parameters): TlsRules {
  const root = parameters.take('sslrootcert')
  const ssl = parameters.takeOneOf('ssl', ['true'])
  const fallback = root === 'system' ? 'verify-full' : ssl ? 'require' : 'prefer'
  const mode = parameters.takeOneOf('sslmode', Object.keys(SSL_MODES)) ?? fallback
  const rules: TlsRules = { ...(SSL_MODES[mode] as TlsRules), direct: false }
  if (root === 'system' && rules.verify !== 'full') throw new Error('needs sslmode=verify-full with sslrootcert=system')
  if (root !== undefined && root !== 'system') rules.rootFile = root
  // As libpq: a root that is given is there to be checked against.
  if (rules.rootFile && mode === 'require') rules.verify = 'ca'
  rules.direct = parameters.takeOneOf('sslnegotiation', ['postgres', 'direct']) === 'direct'
  if (rules.direct && rules.mode !== 'require')
    throw new Error('needs sslmode=require or more with sslnegotiation=direct')
  const minVersion = parameters.takeOneOf('ssl_min_protocol_version', ['TLSv1.2', 'TLSv1.3'])
  const [certFile, keyFile, passphrase] = ['sslcert', 'sslkey', 'sslpassword'].map((name) => parameters.take(name))
  return {
    ...rules,
    ...(minVersion && { minVersion }),
    ...(certFile && { certFile }),
    ...(keyFile && { keyFile }),
    ...(passphrase && { passphrase })
  }
}

function readConnectTimeout(parameters: Parameters): number | undefined {
  const seconds = Number(parameters.take('connect_timeout') ?? 0)
  if (!Number.isInteger(seconds)) throw new Error('has a connect_timeout that is no whole number of seconds')
  return seconds > 0 ? seconds * 1000 : undefined
}

function readStandby(parameters: Parameters): boolean {
  const wanted = parameters.takeOneOf('target_session_attrs', ['any', 'read-write', 'primary'])
  return wanted === 'any'
}

function readWarnings(parameters: Parameters): string[] {
  const binding = parameters.takeOneOf('channel_binding', ['disable', 'prefer', 'require'])
  return binding === 'require' ? ['channel_binding=require of the database URL is not supported and has no effect'] : []
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('has a % that is not followed by two hexadecimal digits')
  }
}
