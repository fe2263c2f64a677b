import { domainToUnicode } from 'node:url'
import { ApiError, type FieldFault } from '../../errors.js'
import {
  formatHash,
  needsPrehash,
  newSalt,
  type PasswordHash,
  parseHash,
  prehash,
  sameDigest
} from '../../lib/bcrypt-sha256.js'
import {
  lengthFaults,
  normalizePassword,
  type PasswordFault,
  type PasswordPolicy,
  passwordRules,
  policyFaults
} from '../../lib/password-policy.js'
import { createHasher } from './hasher.js'

interface PasswordsOptions {
  cost: number
  policy: PasswordPolicy
  concurrency: number
  queueSeconds: number
  common: ReadonlySet<string>
}

export type Passwords = ReturnType<typeof createPasswords>

const SERVICE_NAME = 'postern'

const fieldFaults = (faults: PasswordFault[]): FieldFault[] => faults.map((fault) => ({ field: 'password', ...fault }))

/** `hash` and `verify` throw `overloaded`, before any work, when too much waits; nothing waits for a client that left. */
export function createPasswords({ cost, policy, common, ...capacity }: PasswordsOptions) {
  const rules = passwordRules(policy)
  const hasher = createHasher({ cost, ...capacity })
  return {
    /** Every rule that a new password breaks; `email` in its canonical form, where there is one. */
    check(password: string, email?: string): FieldFault[] {
      return fieldFaults(policyFaults(password, rules, common, [...wordsOf(email), SERVICE_NAME]))
    },

    /** The one rule that also holds at login. */
    checkLength: (password: string): FieldFault[] => fieldFaults(lengthFaults(password)),

    /** bcrypt at the configured cost; beyond 72 bytes passlib's bcrypt-sha256, so that every byte counts. */
    async hash(password: string, signal?: AbortSignal): Promise<string> {
      const bytes = bytesOf(password)
      const salt = newSalt()
      const prehashed = needsPrehash(bytes)
      const input = prehashed ? prehash(bytes, salt) : bytes
      const digest = await hasher.digest(input, salt, signal)
      return formatHash({ cost, salt, digest, prehashed })
    },

    /** False for a wrong password, and, after the same work, for an absent or unreadable hash. */
    async verify(password: string, stored: string | undefined, signal?: AbortSignal): Promise<boolean> {
      const bytes = bytesOf(password)
      const known = stored === undefined ? undefined : parseHash(stored)
      const { salt, prehashed, ...target } = known ?? decoy(cost)
      const long = needsPrehash(bytes)
      const input = prehashed || long ? prehash(bytes, salt) : bytes
      const digest = await hasher.digestAtFullPrice(input, target.cost, salt, signal)
      // Under the plain scheme no long password was ever stored, for bcrypt would have cut it.
      return known !== undefined && (prehashed || !long) && sameDigest(digest, known.digest)
    },

    /** Whether the stored cost is below the configured one. */
    needsRehash: (stored: string): boolean => (parseHash(stored)?.cost ?? 0) < cost,

    /** For `/auth/settings`. */
    rules: () => ({
      policy,
      min_length: rules.minLength,
      max_bytes: rules.maxBytes,
      require_upper: rules.composition,
      require_lower: rules.composition,
      require_digit: rules.composition
    }),

    onHash: hasher.onHash,
    stats: hasher.stats
  }
}

/** What stands in for the hash of an account that does not exist; nothing is ever compared with it. */
function decoy(cost: number): PasswordHash {
  return { cost, salt: newSalt(), digest: '', prehashed: false }
}

/** Throws `invalid_request` before any work: normalising and hashing are for what could be a password. */
function bytesOf(password: string): Buffer {
  const errors = fieldFaults(lengthFaults(password))
  if (errors.length > 0) throw new ApiError('invalid_request', { errors })
  return Buffer.from(normalizePassword(password), 'utf8')
}

/** An attacker who has the email has these words too; the domain is the one that its owner would type. */
function wordsOf(email: string | undefined): string[] {
  if (email === undefined) return []
  const at = email.lastIndexOf('@')
  return [email.slice(0, at), domainToUnicode(email.slice(at + 1))]
}
