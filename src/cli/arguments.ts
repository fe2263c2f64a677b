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
