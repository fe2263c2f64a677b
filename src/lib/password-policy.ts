export type PasswordPolicy = 'classic' | 'nist'

export interface PasswordRules {
  policy: PasswordPolicy
  /** Unicode code points. */
  minLength: number
  /** UTF-8, as sent. */
  maxBytes: number
  /** Upper-case letter, lower-case letter, digit. */
  composition: boolean
}

export interface PasswordFault {
  code:
    | 'too_long'
    | 'too_short'
    | 'missing_upper'
    | 'missing_lower'
    | 'missing_digit'
    | 'too_common'
    | 'too_predictable'
  message: string
  min?: number
  max?: number
}

/** Above it a password is refused before any work; the hash sees at most this. */
export const MAX_PASSWORD_BYTES = 1024

/** `nist`: SP 800-63B-4, 3.1.1.2, a minimum of 15 without composition rules. */
export function passwordRules(policy: PasswordPolicy): PasswordRules {
  return {
    policy,
    minLength: policy === 'nist' ? 15 : 8,
    maxBytes: MAX_PASSWORD_BYTES,
    composition: policy === 'classic'
  }
}

/** One user types one password on different keyboards: compared and hashed in NFKC, at set and at check. */
export function normalizePassword(password: string): string {
  return password.normalize('NFKC')
}

/** The one rule that also holds at login, known or unknown email alike; judged on what was sent. */
export function lengthFaults(password: string): PasswordFault[] {
  if (Buffer.byteLength(password, 'utf8') <= MAX_PASSWORD_BYTES) return []
  return [{ code: 'too_long', message: 'At most 1024 bytes in UTF-8.', max: MAX_PASSWORD_BYTES }]
}

interface Judged {
  /** Normalized. */
  password: string
  /** The same, without case. */
  folded: string
  /** Code points. */
  length: number
}

type Rule = (judged: Judged) => PasswordFault | undefined

/**
 * Every rule that a new password breaks, at once. `common` holds lower-case passwords; `words` are lower-case words
 * that an attacker would try first: the email's local part, its domain, the service's name.
 */
export function policyFaults(
  password: string,
  rules: PasswordRules,
  common: ReadonlySet<string>,
  words: readonly string[]
): PasswordFault[] {
  // Alone: NFKC of a body full of combining marks takes quadratic time.
  const tooLong = lengthFaults(password)
  if (tooLong.length > 0) return tooLong
  const normalized = normalizePassword(password)
  const judged = { password: normalized, folded: normalized.toLowerCase(), length: [...normalized].length }
  const list: Rule[] = [
    longEnough(rules.minLength),
    ...(rules.composition ? [hasUpper, hasLower, hasDigit] : []),
    notCommon(common),
    notAroundAWord(words)
  ]
  return list.map((rule) => rule(judged)).filter((fault) => fault !== undefined)
}

const longEnough =
  (min: number): Rule =>
  ({ length }) =>
    length >= min ? undefined : { code: 'too_short', message: `At least ${min} characters.`, min }

const hasUpper: Rule = ({ password }) =>
  /\p{Lu}/u.test(password) ? undefined : { code: 'missing_upper', message: 'At least one upper-case letter.' }

const hasLower: Rule = ({ password }) =>
  /\p{Ll}/u.test(password) ? undefined : { code: 'missing_lower', message: 'At least one lower-case letter.' }

const hasDigit: Rule = ({ password }) =>
  /\p{Nd}/u.test(password) ? undefined : { code: 'missing_digit', message: 'At least one digit.' }

const notCommon =
  (common: ReadonlySet<string>): Rule =>
  ({ folded }) =>
    common.has(folded)
      ? { code: 'too_common', message: 'Must not be one of the passwords that are tried first.' }
      : undefined

const SHORTEST_WORD = 4
const MOST_AROUND = 4

/** `Adalovelace1!` for adalovelace@…: among the first guesses. Counted are the characters before and after, together. */
const notAroundAWord =
  (words: readonly string[]): Rule =>
  ({ folded, length }) => {
    const predictable = words.some((word) => {
      const size = [...word].length
      return size >= SHORTEST_WORD && length - size <= MOST_AROUND && folded.includes(word)
    })
    const message = 'Must be more than the email or the name of this service with a few characters added.'
    return predictable ? { code: 'too_predictable', message } : undefined
  }
