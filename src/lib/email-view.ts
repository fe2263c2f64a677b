import { canonicalEmail } from './email.js'
import { deriveKey, open, seal } from './seal.js'

/** How an answer shows emails. */
export interface EmailView {
  email<Email extends string | null>(email: Email): Email | string
  /** The same wherever a text within is an email. */
  within<Value>(value: Value): Value
  /** What stands for a hidden email where one is asked for; nothing where emails are shown. */
  ref(email: string | null): { email_ref?: string }
}

export interface EmailViews {
  masked: EmailView
  shown: EmailView
  /** The email that a ref stands for; undefined for whatever is none of ours. */
  open(ref: string): string | undefined
}

export const SHOWN: EmailView = { email: (email) => email, within: (value) => value, ref: () => ({}) }

const PREFIX = 'ref_'
const CONTEXT = 'postern/email-ref'

export interface EmailSecrets {
  authSecret: Buffer | undefined
  authSecretPrevious: Buffer | undefined
}

/** The first character and the domain: enough to tell people of one list apart, too little to write to them. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@')
  return `${at > 1 ? email.charAt(0) : ''}••${email.slice(at)}`
}

/** A link to what is behind a hidden email must not carry the email: it carries this, which only the service can read. */
export function createEmailViews({ authSecret, authSecretPrevious }: EmailSecrets): EmailViews {
  if (authSecret === undefined) throw new Error('hidden emails need AUTH_SECRET')
  const key = deriveKey(authSecret, CONTEXT)
  const keys = authSecretPrevious === undefined ? [key] : [key, deriveKey(authSecretPrevious, CONTEXT)]
  const refOf = (email: string): string => `${PREFIX}${seal(key, Buffer.from(email), 'email')}`
  return {
    shown: SHOWN,
    masked: {
      email: (email) => (email === null ? email : maskEmail(email)),
      within: (value) => maskWithin(value) as typeof value,
      ref: (email) => (email === null ? {} : { email_ref: refOf(email) })
    },
    open(ref) {
      if (!ref.startsWith(PREFIX)) return undefined
      const opened = keys.map((one) => open(one, ref.slice(PREFIX.length), 'email'))
      return opened.find((email) => email !== undefined)?.toString('utf8')
    }
  }
}

/** The values are JSON: no circles. */
function maskWithin(value: unknown): unknown {
  if (typeof value === 'string') return canonicalEmail(value).email === value ? maskEmail(value) : value
  if (Array.isArray(value)) return value.map(maskWithin)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, maskWithin(part)]))
}
