/** What a secret needs at least: 32 bytes, the output length of HMAC-SHA-256 (RFC 7518, section 3.2). */
export const MIN_SECRET_BYTES = 32

/** 32 random hexadecimal digits have fewer than 8 distinct ones about once in ten million times. */
const MIN_DISTINCT_BYTES = 8

const PLACEHOLDER =
  /change[-_ ]?(me|this|it)|replace[-_ ]?(me|this|with)|place[-_ ]?holder|example|sample|your[-_ ]|insert[-_ ]|todo|dummy|default|super[-_ ]?secret|not[-_ ]?(a|so)[-_ ]?secret|my[-_ ]?secret|top[-_ ]?secret|correct[-_ ]?horse|lorem|qwerty|123456789/i

function distinctBytes(text: string): number {
  return new Set(Buffer.from(text, 'utf8')).size
}

/** `abcabcabc…`: a long secret made of a short one is as weak as the short one. */
function isRepetition(text: string): boolean {
  for (let period = 1; period <= text.length / 2; period++) {
    if (text.slice(period) === text.slice(0, -period)) return true
  }
  return false
}

/** Why this secret may never be used, or undefined. The answer never contains the secret. */
export function weakness(secret: string): string | undefined {
  if (Buffer.byteLength(secret, 'utf8') < MIN_SECRET_BYTES) return `is shorter than ${MIN_SECRET_BYTES} bytes`
  if (distinctBytes(secret) < MIN_DISTINCT_BYTES) return `has fewer than ${MIN_DISTINCT_BYTES} different bytes`
  return undefined
}

/** Why this secret looks copied or typed rather than random, or undefined: good enough for a try-out only. */
export function placeholder(secret: string): string | undefined {
  if (PLACEHOLDER.test(secret)) return 'is a sample value or a placeholder'
  if (isRepetition(secret)) return 'repeats itself'
  return undefined
}
