import { ApiError, type FieldFault } from '../../errors.js'
import { canonicalEmail } from '../../lib/email.js'
import type { Passwords } from '../../plugins/passwords/index.js'

export interface Credentials {
  email: string
  password: string
}

interface Judged {
  email: string | undefined
  /** What no later rule can be judged without. */
  invalid: FieldFault[]
  weak: FieldFault[]
}

function judgeNew({ email: input, password }: Credentials, passwords: Passwords): Judged {
  const { email, fault } = canonicalEmail(input)
  const tooLong = passwords.checkLength(password)
  const weak = tooLong.length > 0 ? [] : passwords.check(password, email)
  return { email, invalid: [...emailFaults(fault), ...tooLong], weak }
}

function judgeKnown({ email: input, password }: Credentials, passwords: Passwords): Judged {
  const { email, fault } = canonicalEmail(input)
  return { email, invalid: [...emailFaults(fault), ...passwords.checkLength(password)], weak: [] }
}

/** The canonical email of a new account whose password satisfies the policy; all faults at once otherwise. */
export function acceptNew(credentials: Credentials, passwords: Passwords): string {
  const { email, invalid, weak } = judgeNew(credentials, passwords)
  if (email === undefined || invalid.length > 0) throw invalidRequest('signup', email, [...invalid, ...weak])
  if (weak.length > 0) {
    throw new ApiError('weak_password', {
      errors: weak,
      audit: { type: 'signup', success: false, reason: 'weak_password', email }
    })
  }
  return email
}

/** The canonical email of a login. A password is judged by its hash alone, unless it is too long for one. */
export function acceptKnown(credentials: Credentials, passwords: Passwords): string {
  const { email, invalid } = judgeKnown(credentials, passwords)
  if (email === undefined || invalid.length > 0) throw invalidRequest('login', email, invalid)
  return email
}

/**
 * The faults of the values in a body whose form is wrong elsewhere, so that all are told at once. `body` is whatever was
 * sent; a field that is no string has its own fault already.
 */
export function valueFaults(kind: 'signup' | 'login', body: unknown, passwords: Passwords): FieldFault[] {
  const { email, password } = Object(body) as { email?: unknown; password?: unknown }
  const texts = {
    email: typeof email === 'string' ? email : '',
    password: typeof password === 'string' ? password : ''
  }
  const { invalid, weak } = (kind === 'signup' ? judgeNew : judgeKnown)(texts, passwords)
  return [...invalid, ...weak].filter(
    ({ field }) => typeof (Object(body) as Record<string, unknown>)[field] === 'string'
  )
}

function invalidRequest(type: 'signup' | 'login', email: string | undefined, errors: FieldFault[]): ApiError {
  return new ApiError('invalid_request', {
    errors,
    audit: { type, success: false, reason: 'invalid_request', ...(email !== undefined && { email }) }
  })
}

function emailFaults(fault: 'invalid_email' | 'too_long' | undefined): FieldFault[] {
  if (fault === undefined) return []
  if (fault === 'too_long') return [{ field: 'email', code: fault, message: 'Longer than an email can be.', max: 254 }]
  return [{ field: 'email', code: fault, message: 'Not an email address such as ada@example.com.' }]
}
