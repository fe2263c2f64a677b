import { isIPv6 } from 'node:net'
import type { AuditEvent, Client, EventType, FailureReason } from '../../events.js'
import { toRow } from './row.js'
import type { NewEvent } from './store.js'

/** Repeats of a refusal that wait to be written as one row. */
export interface Tally {
  /** Type and reason: what is never mixed. */
  kind: string
  /** What counted as one address; null for repeats of several. */
  network: string | null
  /** What all the repeats have in common; the rest is null. */
  row: NewEvent
  count: number
}

const FLOODING_TYPES: ReadonlySet<EventType> = new Set(['rate_limited', 'token_rejected', 'account_throttled'])
const FLOODING_REASONS: ReadonlySet<FailureReason> = new Set(['overloaded', 'invalid_request'])

/** Whether anybody could make such rows as fast as he can send requests. */
export function canFlood({ type, reason }: { type: EventType; reason?: FailureReason }): boolean {
  return FLOODING_TYPES.has(type) || (reason !== undefined && FLOODING_REASONS.has(reason))
}

const IDENTIFYING = ['userId', 'email', 'sessionId', 'userAgent'] as const

/** The tally of one repeat. It keeps neither the request's id nor details, which speak of a single request. */
export function tallyOf(kind: string, client: Client, event: AuditEvent): Tally {
  const row = { ...toRow(client, event), requestId: null, details: null }
  return { kind, network: client.addressKey, row, count: 1 }
}

/** One tally for both. A row must not name an account, or an address, that some of its repeats had nothing to do with. */
export function merged(one: Tally | undefined, other: Tally): Tally {
  if (one === undefined) return other
  const network = one.network === other.network ? one.network : null
  const row = { ...one.row }
  for (const field of IDENTIFYING) if (row[field] !== other.row[field]) row[field] = null
  if (row.ipAddress !== other.row.ipAddress) row.ipAddress = isNetwork(network) ? network : null
  return { kind: one.kind, network, row, count: one.count + other.count }
}

/** A row that PostgreSQL does not take would hold up all the others. */
function isNetwork(text: string | null): boolean {
  const [address = '', bits = ''] = (text ?? '').split('/')
  return isIPv6(address) && /^(?:|\d{1,2}|1[01]\d|12[0-8])$/.test(bits)
}

/** At most `limit` tallies and one for each kind: the largest stay, the rest are added up. No count is lost. */
export function bounded(tallies: Tally[], limit: number): Tally[] {
  if (tallies.length <= limit) return tallies
  const largestFirst = tallies.toSorted((a, b) => b.count - a.count)
  const rest = new Map<string, Tally>()
  for (const tally of largestFirst.slice(limit)) rest.set(tally.kind, merged(rest.get(tally.kind), tally))
  return [...largestFirst.slice(0, limit), ...rest.values()]
}
