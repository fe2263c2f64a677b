import { ApiError } from '../../errors.js'
import { type OwnerRule, ownerSegment } from '../../lib/owner-rule.js'
import { type Asked, askedPath, refusal } from './asked-path.js'
import { compileQuery } from './rules.js'

export type Gateway = ReturnType<typeof createGateway>

/** Whoever a good token names. */
interface Asker {
  userId: string
  email: string
  sessionId: string
}

interface Question extends Asked {
  /** Rules of the gateway's own, which replace those of the settings. */
  ownerPaths?: string | readonly string[] | undefined
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Whether a path is theirs. Touches no database: the token and its session were checked before. */
export function createGateway({ rules }: { rules: readonly OwnerRule[] }) {
  return {
    /**
     * Returns where the path is the asker's, or nobody's by any rule. Throws `invalid_request` for an odd path, for none
     * where there are rules, and for broken rules; `not_your_resource` with its event where any rule names somebody else.
     */
    verify(asker: Asker, { ownerPaths, ...asked }: Question): void {
      const applied = ownerPaths === undefined ? rules : compileQuery([ownerPaths].flat())
      const segments = askedPath(asked)
      if (segments === undefined && applied.length > 0) throw refusal('did not come, and there is a rule for it')
      for (const rule of applied) {
        const named = ownerSegment(rule, segments ?? [])?.toLowerCase()
        if (named !== undefined && named !== asker.userId) throw notYours(asker, named)
      }
    }
  }
}

/** What is no id in the path could be anything, and is not put on record. */
function notYours({ userId, email, sessionId }: Asker, named: string): ApiError {
  const details = UUID.test(named) ? { requested_user_id: named } : {}
  return new ApiError('not_your_resource', {
    audit: { type: 'ownership_denied', success: false, reason: 'not_owner', userId, email, sessionId, details }
  })
}
