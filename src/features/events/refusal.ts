import type { ApiError } from '../../errors.js'
import type { AuditEvent } from '../../events.js'

/** What is wrong with the request itself. */
const INVALID: ReadonlySet<number> = new Set([400, 413, 415])
/** The answer may name a hundred faults; the row is kept small. */
const MAX_FAULTS = 10

/**
 * The event of a refusal: the one that it carries, else that of an invalid request on a route which says that such
 * a request is an event. Undefined for all the rest.
 */
export function eventOf(error: ApiError, type: 'signup' | 'login' | 'refresh' | undefined): AuditEvent | undefined {
  if (error.options.audit !== undefined) return error.options.audit
  if (type === undefined || !INVALID.has(error.status)) return undefined
  const reason = error.code === 'weak_password' ? 'weak_password' : 'invalid_request'
  return { type, success: false, reason, details: { code: error.code, ...faultsOf(error) } }
}

/** Which rules were broken, never by what: names of unknown fields come from outside and are left out. */
function faultsOf({ options }: ApiError): { faults?: string[] } {
  const codes = new Set(options.errors?.map(({ code }) => code))
  return codes.size === 0 ? {} : { faults: [...codes].slice(0, MAX_FAULTS) }
}
