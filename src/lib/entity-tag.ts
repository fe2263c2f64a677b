import { createHash } from 'node:crypto'

/** A strong entity tag (RFC 9110, 8.8.3) for a text that is always sent as the same bytes. */
export function entityTag(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url')}"`
}

/** Whether `If-None-Match` names the tag: weak comparison, a list, or `*` (RFC 9110, 13.1.2). */
export function namesEntityTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const named = ifNoneMatch.split(',').map((entry) => entry.trim().replace(/^W\//, ''))
  return named.includes('*') || named.includes(tag)
}
