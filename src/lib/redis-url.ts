export interface RedisTarget {
  /** A name or an address, without brackets. */
  host: string
  port: number
  tls: boolean
  user: string | undefined
  password: string | undefined
  database: number
}

const FORM = /^(rediss?):\/\/(?:([^/?#@\s]*)@)?(\[[0-9A-Fa-f:.]+\]|[^/?#@:[\]\s]+)(?::(\d{1,5}))?(?:\/(\d{0,4}))?$/

/**
 * Reads `redis://user:password@host:port/database`, or `rediss://` for TLS. Throws an Error that names what is wrong,
 * and never repeats the URL.
 */
export function parseRedisUrl(url: string): RedisTarget {
  if (url.includes('?')) throw new Error('has parameters, and none is supported')
  const parts = FORM.exec(url)
  if (!parts) throw new Error('is no URL of the form redis://user:password@host:port/database')
  const [, scheme, userinfo = '', host = '', port, database] = parts
  const number = Number(port ?? 6379)
  if (number < 1 || number > 65_535) throw new Error('has a port that is not 1 to 65535')
  return {
    ...readUserinfo(userinfo),
    host: host.replace(/^\[|\]$/g, ''),
    port: number,
    tls: scheme === 'rediss',
    database: Number(database ?? 0)
  }
}

/** Where it is, for the log: no secret. */
export function describeRedis({ host, port, tls, database }: RedisTarget): string {
  const name = host.includes(':') ? `[${host}]` : host
  return `${tls ? 'rediss' : 'redis'}://${name}:${port}/${database}`
}

function readUserinfo(userinfo: string): Pick<RedisTarget, 'user' | 'password'> {
  const colon = userinfo.indexOf(':')
  if (userinfo === '') return { user: undefined, password: undefined }
  // Some clients take a lone word for the password and others for the user.
  if (colon === -1) throw new Error('has a user without a password; a password alone is written redis://:password@host')
  const password = decode(userinfo.slice(colon + 1))
  if (password === '') throw new Error('has an empty password')
  return { user: decode(userinfo.slice(0, colon)) || undefined, password }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('has a % that is not followed by two hexadecimal digits')
  }
}
