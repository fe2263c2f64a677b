/** Control, formatting (bidirectional, invisible) and separating characters, and surrogates without a partner. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

/**
 * Text from outside, fit for one line of a log, a terminal or a page: what would move a cursor, colour a terminal, turn
 * the direction of text or hide becomes `\uXXXX`. The result is valid Unicode of at most `maxLength` UTF-16 units: what
 * is longer is cut, never inside a character or an escape.
 */
export function printable(text: string, maxLength = 512): string {
  if (text.length <= maxLength && !UNPRINTABLE.test(text)) return text
  let result = ''
  for (const character of text) {
    const piece = UNPRINTABLE.test(character) ? escaped(character) : character
    if (result.length + piece.length > maxLength) break
    result += piece
  }
  return result
}

function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}
