/** Where in a path the id of its owner stands, such as `/api/:user_id/*`. */
export interface OwnerRule {
  /** In lower case; undefined is the place of the id. */
  readonly parts: readonly (string | undefined)[]
  /** Whether anything may follow. */
  readonly open: boolean
}

export type CompiledRule = { rule: OwnerRule; fault?: undefined } | { rule?: undefined; fault: string }

const OWNER = ':user_id'
/** What can stand in a decoded path that is not refused, less what has a meaning in a rule or in a list of rules. */
const FIXED = /^(?!\.{1,2}$)[A-Za-z0-9._~!$&'()+=@-][A-Za-z0-9._~!$&'()+=@:-]*$/

/**
 * Compiles one rule: fixed segments, `:user_id` exactly once, and at the end perhaps `/*`, which is everything below and
 * nothing too. Of a wrong one says what is wrong, without repeating it.
 */
export function compileOwnerRule(text: string): CompiledRule {
  if (!text.startsWith('/')) return { fault: 'does not begin with a slash' }
  const segments = text.slice(1).split('/')
  const open = segments.at(-1) === '*'
  if (open) segments.pop()
  if (segments.includes('')) return { fault: 'has an empty segment, or a slash at its end' }
  if (segments.includes('*')) return { fault: 'has a `*` that is not its last segment' }
  if (segments.filter((segment) => segment === OWNER).length !== 1) return { fault: 'does not have `:user_id` once' }
  const fixed = segments.filter((segment) => segment !== OWNER)
  if (!fixed.every((segment) => FIXED.test(segment))) return { fault: 'has a segment that is no plain text' }
  const parts = segments.map((segment) => (segment === OWNER ? undefined : segment.toLowerCase()))
  return { rule: { parts, open } }
}

/**
 * The segment that names the owner of this path under this rule; undefined where the rule does not match. Takes the
 * decoded segments of a path that `readPath` gave. Fixed parts compare without case, because many an API's router does.
 */
export function ownerSegment({ parts, open }: OwnerRule, segments: readonly string[]): string | undefined {
  const fits = open ? segments.length >= parts.length : segments.length === parts.length
  if (!fits) return undefined
  const matches = parts.every((part, index) => part === undefined || part === segments[index]?.toLowerCase())
  return matches ? segments[parts.indexOf(undefined)] : undefined
}
