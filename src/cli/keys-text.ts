import type { KeyDescription, Rotation } from '../features/keys/types.js'
import { textTable } from './table.js'

const SPANS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's']
] as const

/** `24h`, `90s`: the largest unit that needs no fraction, as in the settings. */
function span(seconds: number): string {
  if (seconds === 86_400) return '24h'
  const [size, unit] = SPANS.find(([length]) => seconds % length === 0) ?? [1, 's']
  return `${seconds / size}${unit}`
}

const time = (at: Date | null): string => at?.toISOString() ?? ''

/** Only what signs no more has an end: that of the others moves on. */
const endOf = ({ state, retiresAt }: KeyDescription): Date | null =>
  state === 'previous' || state === 'retired' ? retiresAt : null

/** As the admin interface names it: RFC 3339 times, null for what is not known yet. */
export function keyJson(key: KeyDescription) {
  return {
    kid: key.kid,
    algorithm: key.algorithm,
    state: key.state,
    created_at: key.createdAt,
    active_at: key.activeAt,
    replaced_at: key.replacedAt,
    retires_at: endOf(key),
    revoked_at: key.revokedAt
  }
}

export function keyTable(keys: readonly KeyDescription[]): string {
  if (keys.length === 0) return 'no keys yet: the first start of the service makes them\n'
  const head = ['KID', 'ALGORITHM', 'STATE', 'SIGNS FROM', 'SIGNED UNTIL', 'GOOD UNTIL']
  const rows = keys.map((key) => [
    key.kid,
    key.algorithm,
    key.state,
    time(key.activeAt),
    time(key.replacedAt),
    time(key.revokedAt ?? endOf(key))
  ])
  return textTable([head, ...rows])
}

/** What happened, and what will, in the order of time. */
export function rotationText({ previous, current, next }: Rotation, publishAheadSeconds: number): string {
  const lines = [['now', `${current.kid} (${current.algorithm}) signs`]]
  if (next) {
    const ready = new Date(next.createdAt.getTime() + publishAheadSeconds * 1000)
    lines.push(['now', `${next.kid} (${next.algorithm}) is published, and will be next`])
    lines.push([time(ready), 'a rotation is possible again without --now'])
    lines.push([time(next.activeAt), `${next.kid} signs, unless a rotation comes before`])
  }
  if (previous) {
    lines.push([time(previous.retiresAt), `${previous.kid} retires: the last token that it signed has expired`])
  }
  const [now, later] = [lines.filter(([at]) => at === 'now'), lines.filter(([at]) => at !== 'now')]
  return textTable([...now, ...later.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))])
}

/** What this service cannot see: how long others keep the keys. */
export function rotationWarning({ current }: Rotation, publishAheadSeconds: number): string {
  const promised = span(publishAheadSeconds)
  const publishedFor = Math.floor((current.activeAt.getTime() - current.createdAt.getTime()) / 1000)
  return publishedFor >= publishAheadSeconds
    ? `Warning: whoever keeps the key set for longer than KEY_PUBLISH_AHEAD (${promised}) refuses new tokens until it is read again.\n`
    : `Warning: ${current.kid} was published for ${publishedFor} s only, and KEY_PUBLISH_AHEAD promises ${promised}. Whoever read the key set before that, and keeps it, refuses new tokens until it is read again.\n`
}
