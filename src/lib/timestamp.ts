const RFC_3339 =
  /^(?<date>\d{4}-\d\d-\d\d)[Tt](?<time>\d\d:\d\d:\d\d)(?<fraction>\.\d{1,9})?(?<zone>[Zz]|[+-]\d\d:\d\d)$/

/**
 * A time as RFC 3339 writes it, to the millisecond; undefined for anything else, for days that do not exist, and for what
 * lies before the year 1 of UTC, which PostgreSQL writes otherwise.
 */
export function parseTimestamp(text: string): Date | undefined {
  const { date, time, fraction = '', zone } = RFC_3339.exec(text)?.groups ?? {}
  if (date === undefined || time === undefined || zone === undefined) return undefined
  const local = new Date(`${date}T${time}${fraction.slice(0, 4)}Z`)
  const parsed = new Date(`${date}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`)
  // 30 February becomes 2 March when it is parsed.
  const exists = !Number.isNaN(parsed.getTime()) && local.toISOString().startsWith(`${date}T${time}`)
  return exists && parsed.getUTCFullYear() > 0 ? parsed : undefined
}
