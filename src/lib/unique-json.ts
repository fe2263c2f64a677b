import { isUtf8 } from 'node:buffer'

/**
 * Parses the bytes of a JSON object whose member names are unique at every level. Returns undefined for everything
 * else. Two parsers may disagree about which of two members with one name counts (RFC 8725, 2.4; RFC 7519, 4), so a
 * document where they could is no document.
 */
export function parseUniqueJson(bytes: Buffer): Record<string, unknown> | undefined {
  if (!isUtf8(bytes)) return undefined
  const text = bytes.toString('utf8')
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return hasUniqueMembers(text) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g

/** `text` is known to be JSON. A string is a member's name when it stands in an object and after `{` or `,`. */
function hasUniqueMembers(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  let previous = ''
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token.startsWith('"') && previous !== ':') {
      const names = open.at(-1)
      // Compared unescaped: "\u0061" and "a" are one name.
      const name: string = JSON.parse(token)
      if (names?.has(name)) return false
      names?.add(name)
    }
    previous = token
  }
  return true
}
