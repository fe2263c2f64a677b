import { ApiError, type FieldFault } from '../../errors.js'
import { canonicalEmail } from '../../lib/email.js'
import type { Passwords } from '../../plugins/passwords/index.js'

export interface Credentials {
  email: string
  password: string
}

/** The canonical email of a new account whose password satisfies the policy; all faults at once otherwise. */
export function acceptNew({ email: input, password }: Credentials, passwords: Passwords): string {
  const { email, fault } = canonicalEmail(input)
  const tooLong = passwords.checkLength(password)
  const weak = tooLong.length > 0 ? [] : passwords.check(password, email)
  const invalid = [...emailFaults(fault), ...tooLong]
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
export function acceptKnown({ email: input, password }: Credentials, passwords: Passwords): string {
  const { email, fault } = canonicalEmail(input)
  const invalid = [...emailFaults(fault), ...passwords.checkLength(password)]
  if (email === undefined || invalid.length > 0) throw invalidRequest('login', email, invalid)
  return email
}

function invalidRequest(type: 'signup' | 'login', email: string | undefined, errors: FieldFault[]): ApiError {
  return new ApiError('invalid_request', {
    errors,
    audit: { type, success: false, reason: 'invalid_request', ...(email !== undefined && { email }) }
  })
}

function emailFaults(fault: 'invalid_email' | 'too_long' | undefined): FieldFault[] {
  if (fault === undefined) return []
  if (fault === 'too_long')
    return [{ field: 'email', code: fault, message: 'is longer than an email can be', max: 254 }]
  return [{ field: 'email', code: fault, message: 'is not an email address such as ada@example.com' }]
}
