import { version } from '../../lib/version.js'

const PATIENCE_MS = 20_000

export interface Answer {
  /** 0 when none came. */
  status: number
  headers: Headers
  text: string
  /** Undefined unless it is a JSON object. */
  json: Record<string, unknown> | undefined
}

export interface Question {
  body?: unknown
  token?: string
}

export type Visit = (method: string, path: string, question?: Question) => Promise<Answer>

/** Asks below `base`, follows no redirect, and never rejects: what is no answer has status 0 and the reason as its text. */
export function visitor(base: string): Visit {
  return async (method, path, { body, token } = {}) => {
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        redirect: 'manual',
        signal: AbortSignal.timeout(PATIENCE_MS),
        headers: {
          'user-agent': `postern-smoke/${version}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` })
        },
        ...(body !== undefined && { body: JSON.stringify(body) })
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, json: parse(text) }
    } catch (error) {
      return { status: 0, headers: new Headers(), text: reasonOf(error), json: undefined }
    }
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** What fetch says itself is `fetch failed`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : String(cause)
}
