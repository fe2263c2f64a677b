import { ApiError } from '../../errors.js'
import { compileOwnerRule, type OwnerRule } from '../../lib/owner-rule.js'

/** The rules of `OWNER_PATHS`, which the settings have checked. Throws for one that does not compile. */
export function compileSettings(texts: readonly string[]): OwnerRule[] {
  return texts.map((text, index) => {
    const { rule, fault } = compileOwnerRule(text)
    if (rule === undefined) throw new Error(`rule ${index + 1} of OWNER_PATHS ${fault}`)
    return rule
  })
}

/** The rules that a gateway sent along. Throws `invalid_request` for one that does not compile. */
export function compileQuery(texts: readonly string[]): OwnerRule[] {
  return texts.map((text) => {
    const { rule, fault } = compileOwnerRule(text)
    if (rule !== undefined) return rule
    const detail = `A rule in \`owner_path\` ${fault}.`
    throw new ApiError('invalid_request', {
      detail,
      errors: [{ field: 'owner_path', code: 'invalid_format', message: detail }]
    })
  })
}
