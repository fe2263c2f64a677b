/** The decoded segments of a path, or what is odd about it. */
export type ReadPath = { segments: string[]; fault?: undefined } | { segments?: undefined; fault: string }

type Check = [pattern: RegExp, fault: string]

/** A space tells of headers that somebody joined; a fragment ends the path for one reader and not for another. */
const RAW_CHECKS: Check[] = [
  [/^(?!\/)/, 'does not begin with a slash'],
  [/[^\x21-\x7e]|#/, 'has a character in it that no URI has'],
  [/%2f/i, 'has an encoded slash in it']
]

const DECODED_CHECKS: Check[] = [
  [/[^\x20-\x7e]/, 'has a control or non-ASCII character in it'],
  [/%[0-9a-f]{2}/i, 'is encoded twice'],
  [/[;\\]/, 'has a semicolon or a backslash in it'],
  [/\/\//, 'has an empty segment in it'],
  [/\/\.{1,2}(?:\/|$)/, 'has a dot segment in it']
]

/**
 * Reads the path of a request target (RFC 9112, section 3.2.1) whose query is ignored. Decodes once and repairs nothing: what two
 * readers could take for two paths, and so an API behind us for another one than we judged, is a fault.
 * A slash at the end makes no segment.
 */
export function readPath(target: string): ReadPath {
  const raw = target.split('?', 1)[0] as string
  const decoded = decode(raw)
  const fault = found(RAW_CHECKS, raw) ?? (decoded === undefined ? 'is no percent-encoded UTF-8' : undefined)
  if (decoded === undefined || fault !== undefined) return { fault: fault as string }
  const odd = found(DECODED_CHECKS, decoded)
  if (odd !== undefined) return { fault: odd }
  return { segments: decoded.replace(/\/$/, '').split('/').slice(1) }
}

function found(checks: Check[], text: string): string | undefined {
  return checks.find(([pattern]) => pattern.test(text))?.[1]
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
