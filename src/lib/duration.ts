const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * Milliseconds of `500ms`, `10s`, `15m`, `24h` or `7d`; a plain number counts seconds. Whole numbers only.
 * Undefined for anything else.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^([0-9]{1,12})(ms|s|m|h|d)?$/.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * UNITS[(match[2] ?? 's') as keyof typeof UNITS]
}
