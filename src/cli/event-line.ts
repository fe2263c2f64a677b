import type { EventRow } from '../features/monitoring/service.js'

/** An event in a terminal: when, what, how it went, whose, from where, and how many of them. */
export function eventLine(row: EventRow): string[] {
  const count = Number(row.details?.count ?? 1)
  return [
    row.createdAt.toISOString(),
    row.eventType,
    row.success ? 'ok' : (row.failureReason ?? 'failed'),
    row.email ?? row.userId ?? '-',
    row.ipAddress ?? '-',
    count > 1 ? `${count} times` : ''
  ]
}
