import { domainToASCII, domainToUnicode } from 'node:url'

/** RFC 5322 atext; dots stand only between atoms (RFC 5321, dot-string). ASCII alone: a look-alike is refused. */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** `domainToASCII` is a URL parser: it decodes `%`, strips tabs, and ends the host at a `/`, `:` or `#`. */
const ASCII_OUTSIDE_A_HOST = /[^A-Za-z0-9.\u0080-\u{10ffff}-]/u
const UNDECODED = /(?:^|\.)xn--/

const MAX_LOCAL_PART = 64
const MAX_BYTES = 254
/** What is not canonical yet may be longer: UTS-46 composes letters and drops invisible characters. */
const MAX_INPUT = 4 * MAX_BYTES

/** The canonical form, or why there is none. */
export type CanonicalEmail =
  | { email: string; fault?: undefined }
  | { email?: undefined; fault: 'invalid_email' | 'too_long' }

/**
 * Every rule, count and look-up uses the form that this returns: local part as ASCII, IDN domain as punycode (UTS-46),
 * all lower case, at most 254 bytes. Validated on that form, so that nothing later sees another. Canonical emails are
 * fixed points. Nothing is trimmed; plus-tags and dots are kept.
 */
export function canonicalEmail(input: string): CanonicalEmail {
  if (input.length > MAX_INPUT) return { fault: 'too_long' }
  const at = input.lastIndexOf('@')
  const local = input.slice(0, Math.max(at, 0))
  if (local.length > MAX_LOCAL_PART || !LOCAL_PART.test(local)) return { fault: 'invalid_email' }
  const domain = canonicalDomain(input.slice(at + 1))
  if (domain === undefined) return { fault: 'invalid_email' }
  const email = `${local.toLowerCase()}@${domain}`
  return email.length > MAX_BYTES ? { fault: 'too_long' } : { email }
}

function canonicalDomain(domain: string): string | undefined {
  if (ASCII_OUTSIDE_A_HOST.test(domain)) return undefined
  const ascii = domainToASCII(domain)
  // `xn--a-.com` is a second spelling of `a.com`, and `xn--wca.com` (Ü) of `xn--tda.com` (ü): two accounts for one
  // mailbox. Node 20 refuses the second; Node 24 lets it pass as it is, in both directions. So it must be decoded.
  const unicode = domainToUnicode(ascii)
  if (UNDECODED.test(unicode) || domainToASCII(unicode) !== ascii) return undefined
  const labels = ascii.split('.')
  const last = labels.at(-1) ?? ''
  // The last label is never numeric (RFC 3696, 2): 127.0.0.1 is an address, and so is 0x7f.1.
  const isName = labels.length >= 2 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(last)
  return isName ? ascii : undefined
}
