import { InvalidArgumentError } from 'commander'
import { canonicalEmail } from '../lib/email.js'

/** The canonical form of an email. */
export function toEmail(text: string): string {
  const { email } = canonicalEmail(text)
  if (email === undefined) throw new InvalidArgumentError('it is not an email address such as ada@example.com')
  return email
}

/** A whole number from 1 to `most`. */
export function toNumber(most: number): (text: string) => number {
  return (text) => {
    const number = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : Number.NaN
    if (!(number <= most)) throw new InvalidArgumentError(`it must be a whole number from 1 to ${most}`)
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
