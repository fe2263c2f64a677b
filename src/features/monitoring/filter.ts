import { ApiError, type FieldFault } from '../../errors.js'
import type { EventType, FailureReason } from '../../events.js'
import { canonicalEmail } from '../../lib/email.js'
import type { EmailViews } from '../../lib/email-view.js'
import { decodeCursor, type EventPosition } from '../../lib/event-cursor.js'
import { type AddressRange, addressRange } from '../../lib/ip-network.js'
import { parseTimestamp } from '../../lib/timestamp.js'

/** The filters as they came: each has the form that its schema asks for. */
export interface EventQuery {
  type?: EventType
  success?: 'true' | 'false'
  reason?: FailureReason
  ip?: string
  email?: string
  user_id?: string
  from?: string
  to?: string
  cursor?: string
}

/** What an event must be; what is absent is not asked for. */
export interface EventFilter {
  type?: EventType
  success?: boolean
  reason?: FailureReason
  /** Exactly this address. */
  address?: string
  /** Any address of this network, and the network itself, which is what a summary of several addresses names. */
  network?: string
  /** Canonical. */
  email?: string
  userId?: string
  /** This time or later. */
  from?: Date
  /** Before this time. */
  to?: Date
  /** No event can be all of it. */
  impossible?: true
}

/** Looking for what has never happened would take the longest. */
const ONLY_FAILS: ReadonlySet<EventType> = new Set([
  'refresh_reuse_detected',
  'token_rejected',
  'ownership_denied',
  'rate_limited',
  'account_throttled',
  'admin_denied'
])
const ONLY_SUCCEEDS: ReadonlySet<EventType> = new Set(['logout', 'throttle_cleared', 'password_rehashed'])

export interface EventSearch {
  filter: EventFilter
  /** What is older than this comes next. */
  before: EventPosition | undefined
}

/** `openRef` reads what stands for a hidden email. Throws `invalid_request` with every parameter that does not mean anything. */
export function readQuery(query: EventQuery, openRef: EmailViews['open'] = () => undefined): EventSearch {
  const faults: FieldFault[] = []
  const read = <T>(field: keyof EventQuery, reader: (text: string) => T | undefined, hint: string): T | undefined => {
    const text = query[field]
    const value = text === undefined ? undefined : reader(text)
    if (text !== undefined && value === undefined) faults.push({ field, code: 'invalid_format', message: hint })
    return value
  }
  const range = read('ip', addressRange, 'Send an address such as 203.0.113.7, or a network such as 2001:db8::/64.')
  const email = read('email', (text) => openRef(text) ?? canonicalEmail(text).email, 'Send a whole email address.')
  const userId = read('user_id', uuid, 'Send a whole id.')
  const time = 'Send a time such as 2026-01-14T09:30:00Z.'
  const from = read('from', parseTimestamp, time)
  const to = read('to', parseTimestamp, time)
  const before = read('cursor', decodeCursor, 'Send the `next_cursor` of the page before, as it is.')
  if (faults.length > 0) throw new ApiError('invalid_request', { errors: faults })
  const { type, success, reason } = query
  const given = { type, reason, email, from, to, userId, ...ofRange(range) }
  return { filter: withoutUndefined({ ...given, ...outcomeOf(query, success) }), before }
}

/** What type and reason say already is not asked for once more. */
function outcomeOf(
  { type, reason }: EventQuery,
  asked: EventQuery['success']
): Pick<EventFilter, 'success' | 'impossible'> {
  if (asked === undefined) return {}
  const success = asked === 'true'
  const fails = reason !== undefined || (type !== undefined && ONLY_FAILS.has(type))
  const succeeds = type !== undefined && ONLY_SUCCEEDS.has(type)
  if (fails || succeeds) return fails === !success ? {} : { impossible: true }
  return { success }
}

function uuid(text: string): string | undefined {
  const lower = text.toLowerCase()
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(lower) ? lower : undefined
}

function ofRange(range: AddressRange | undefined): Pick<EventFilter, 'address' | 'network'> {
  if (range === undefined) return {}
  return range.isNetwork ? { network: range.text } : { address: range.text }
}

function withoutUndefined(filter: { [Name in keyof EventFilter]: EventFilter[Name] | undefined }): EventFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}
