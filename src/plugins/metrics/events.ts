import type { AuditEvent, EventType } from '../../events.js'
import type { Metrics } from './registry.js'
import { type AttemptMetric, type LabelsOf, METRICS } from './table.js'

/** The attempt that an event of this type is the outcome of. A limited one depends on the limit. */
const ATTEMPT_OF: Partial<Record<EventType, AttemptMetric>> = {
  login: 'postern_logins_total',
  account_throttled: 'postern_logins_total',
  signup: 'postern_signups_total',
  refresh: 'postern_refreshes_total',
  refresh_reuse_detected: 'postern_refreshes_total',
  token_rejected: 'postern_token_checks_total'
}

const LIMITED = {
  login: 'postern_logins_total',
  signup: 'postern_signups_total',
  refresh: 'postern_refreshes_total'
} as const satisfies Record<string, AttemptMetric>

type Limit = keyof typeof LIMITED

/** The event names the limit that was used up. */
function limitOf({ type, details }: AuditEvent): Limit | undefined {
  const limit = String(details?.limit)
  return type === 'rate_limited' && Object.hasOwn(LIMITED, limit) ? (limit as Limit) : undefined
}

const resultOf = ({ success }: AuditEvent) => (success ? 'success' : 'failure')

/** Counts events as they are written. */
export function countEvents(metrics: Metrics): (event: AuditEvent) => void {
  function countAttempt(metric: AttemptMetric, event: AuditEvent): void {
    const known: readonly string[] = METRICS[metric].labels.reason
    const cause: string = event.reason ?? 'none'
    const labels = { result: resultOf(event), reason: known.includes(cause) ? cause : 'other' }
    metrics.count(metric, labels as LabelsOf<AttemptMetric>)
  }

  return (event) => {
    const { type, reason } = event
    metrics.count('postern_events_total', { type, result: resultOf(event) })
    const limit = limitOf(event)
    if (limit !== undefined) metrics.count('postern_rate_limited_total', { limit })
    const attempt = limit === undefined ? ATTEMPT_OF[type] : LIMITED[limit]
    // A scraper's token is not an access token.
    if (attempt !== undefined && reason !== 'wrong_metrics_token') countAttempt(attempt, event)
  }
}
