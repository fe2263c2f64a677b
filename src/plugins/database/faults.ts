import { ApiError, unavailable } from '../../errors.js'

/** SQLSTATE classes and codes that say that the database is away, full, or gave up; the operation may be repeated. */
const AWAY = /^(?:08|28|53|57P|3D000|25006|25P0[34]|40001|40003|40P01|55P03|57014|58030)/

/** What postgres.js refuses because it was called wrongly. */
const MISUSE = new Set(['UNDEFINED_VALUE', 'MAX_PARAMETERS_EXCEEDED', 'UNSAFE_TRANSACTION', 'NOT_TAGGED_CALL'])

/** Columns of an error whose text repeats what is in the rows. */
const REPEATS_ROWS = ['detail', 'where', 'internal_query', 'hint'] as const

interface DriverError extends Error {
  code?: unknown
  routine?: string
}

/**
 * The error that a caller of the database gets: `unavailable` when the database is away, was too slow, or had to give
 * up (a deadlock, a full disk); any other error as it is, without the parts that repeat the contents of rows.
 */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ApiError) return error
  if (isAway(error)) return unavailable(error)
  for (const name of REPEATS_ROWS) delete (error as unknown as Record<string, unknown>)[name]
  return error
}

function isAway(error: DriverError): boolean {
  const { code } = error
  if (typeof code !== 'string' || MISUSE.has(code)) return false
  // No partition for the row: this event cannot be written until the service has made one.
  if ('severity' in error) return AWAY.test(code) || error.routine === 'ExecFindPartition'
  return AWAY.test(code) || isConnectionFault(code)
}

/** Node's and postgres.js's own codes; an ERR_INVALID_… is a fault in how we called them. */
function isConnectionFault(code: string): boolean {
  return !/^(?:ERR_INVALID|ERR_MISSING|ERR_OUT_OF_RANGE)/.test(code)
}

/** One line for the log. An error of the database or of the network holds no password. */
export function reasonOf(error: unknown): string {
  if (error instanceof ApiError && error.options.cause) return reasonOf(error.options.cause)
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (!(error instanceof Error)) return 'unknown'
  const cause = error.cause instanceof Error ? reasonOf(error.cause) : undefined
  return cause ?? (error.message || String((error as DriverError).code))
}
