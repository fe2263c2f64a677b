/** What the log may hold of an error. */
export interface ErrorDescription {
  type: string
  code: string | undefined
  message: string
  stack: string | undefined
  constraint: string | undefined
  cause?: ErrorDescription
}

interface Fields {
  name?: unknown
  code?: unknown
  message?: unknown
  stack?: unknown
  constraint_name?: unknown
  cause?: unknown
  params?: unknown
}

/**
 * Picks the fields that explain an error, and no others: Drizzle puts the parameters of the statement into its
 * message, and PostgreSQL the whole row into `detail`; both may hold a hash or an email.
 * Log it as `error`: under `err`, pino's own serializer would rework it.
 */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (isDescription(error)) return error
  const { name, code, message, stack, constraint_name, cause, params } = Object(error) as Fields
  const described: ErrorDescription = {
    type: text(name) ?? typeof error,
    code: text(code),
    message: params === undefined ? (text(message) ?? '') : 'a statement failed',
    stack: params === undefined ? text(stack) : undefined,
    constraint: text(constraint_name)
  }
  if (cause !== undefined && depth < 3) described.cause = describeError(cause, depth + 1)
  descriptions.add(described)
  return described
}

/** The logger describes what it is given, also what has been described. */
const descriptions = new WeakSet<object>()

function isDescription(error: unknown): error is ErrorDescription {
  return typeof error === 'object' && error !== null && descriptions.has(error)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
