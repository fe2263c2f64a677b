import { InvalidArgumentError } from 'commander'
import { canonicalEmail } from '../lib/email.js'
import { addressRange } from '../lib/ip-network.js'
import { parseTimestamp } from '../lib/timestamp.js'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The canonical form of an email. */
export function toEmail(text: string): string {
  const { email } = canonicalEmail(text)
  if (email === undefined) throw new InvalidArgumentError('it is not an email address such as ada@example.com')
  return email
}

/** An id in lower case. */
export function toId(text: string): string {
  const id = text.toLowerCase()
  if (!UUID.test(id)) throw new InvalidArgumentError('it is not a UUID such as 01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a')
  return id
}

/** One of the two, canonical. */
export type EmailOrId = { email: string } | { id: string }

export function toEmailOrId(text: string): EmailOrId {
  const { email } = canonicalEmail(text)
  if (email !== undefined) return { email }
  const id = text.toLowerCase()
  if (!UUID.test(id)) throw new InvalidArgumentError('it is neither an email address nor a UUID')
  return { id }
}

/** An address or a network, as it was written. */
export function toAddressRange(text: string): string {
  if (addressRange(text) === undefined) {
    throw new InvalidArgumentError('it is neither an address such as 203.0.113.7 nor a network such as 2001:db8::/64')
  }
  return text
}

/** A time, as it was written. */
export function toTime(text: string): string {
  if (parseTimestamp(text) === undefined)
    throw new InvalidArgumentError('it is not a time such as 2026-01-14T09:30:00Z')
  return text
}

/** A whole number from 1 to `most`. */
export function toNumber(most: number): (text: string) => number {
  return (text) => {
    const number = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN
    if (!(number <= most)) throw new InvalidArgumentError(`it is not a whole number from 1 to ${most}`)
    return number
  }
}

/** A URL that paths are put behind: no query, no fragment, no slash at the end. */
export function toBaseUrl(text: string): string {
  const isUrl = /^https?:\/\/[^\s?#]+$/i.test(text) && URL.canParse(text)
  if (!isUrl) throw new InvalidArgumentError('it is not a URL such as https://example.com')
  const { username, href } = new URL(text)
  if (username !== '') throw new InvalidArgumentError('a URL with a user in it is not understood')
  return href.replace(/\/+$/, '')
}

/** A path that begins with one slash, without a query. */
export function toPath(text: string): string {
  if (!/^\/[^\s?#\\/][^\s?#\\]*$/.test(text)) throw new InvalidArgumentError('it is not a path such as /api/notes')
  return text
}
