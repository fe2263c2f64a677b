import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../../errors.js'
import { unescapeForm } from './form.js'

export interface ConfiguredClient {
  id: string
  secret: string
}

/** RFC 7617: one space, base64 with its padding. The scheme in any case. */
const BASIC = /^basic ([A-Za-z0-9+/]+={0,2})$/i

/**
 * Returns who authenticates by HTTP Basic (RFC 6749, section 2.3.1), by the id; throws `invalid_client` for whatever
 * cause. Compares digests under a key of this process with every configured client, so that neither time nor
 * the order of the list tells anything.
 */
export function createClientAuth(clients: readonly ConfiguredClient[]): (authorization?: string) => string {
  const key = randomBytes(32)
  const digest = ({ id, secret }: ConfiguredClient) =>
    createHmac('sha256', key)
      .update(JSON.stringify([id, secret]))
      .digest()
  const known = clients.map((client) => ({ id: client.id, digest: digest(client) }))

  return (authorization = '') => {
    const matches = spellings(authorization).flatMap((presented) => {
      const actual = digest(presented)
      return known.filter((client) => timingSafeEqual(client.digest, actual))
    })
    const [client] = matches
    if (client === undefined) throw new ApiError('invalid_client')
    return client.id
  }
}

/**
 * The RFC wants id and secret form-urlencoded before they are joined; curl and many libraries send them as they are.
 * A secret that has `+` or `%` in it differs, so both readings are tried.
 */
function spellings(authorization: string): ConfiguredClient[] {
  const encoded = BASIC.exec(authorization)?.[1]
  if (encoded === undefined) return []
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  const secret = rest.join(':')
  const unescaped = { id: unescapeForm(id), secret: unescapeForm(secret) }
  const asSent = { id, secret }
  if (unescaped.id === undefined || unescaped.secret === undefined) return [asSent]
  return [{ id: unescaped.id, secret: unescaped.secret }, asSent]
}
