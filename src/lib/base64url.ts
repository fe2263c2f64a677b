const ALPHABET = /^[A-Za-z0-9_-]*$/

/**
 * Decodes RFC 4648, 5 without padding, and nothing looser: undefined for another alphabet, padding, white space, or
 * trailing bits that are not zero. So one value has exactly one text.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  if (!ALPHABET.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
