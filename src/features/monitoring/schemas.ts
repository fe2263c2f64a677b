import { type Static, Type } from '@sinclair/typebox'
import { EVENT_TYPES, type EventType, FAILURE_REASONS, type FailureReason } from '../../events.js'
import { type EmailView, SHOWN } from '../../lib/email-view.js'
import { CURSOR_PATTERN } from '../../lib/event-cursor.js'
import { AdminEvent, Emails, presentAdminEvent, queryInteger, Timestamp, Uuid } from '../../schemas.js'
import type { CountRow, EventPage, Insight, Stats } from './service.js'

export { type AdminEvent, presentAdminEvent as presentEvent } from '../../schemas.js'

export const AdminEventList = Type.Object(
  {
    events: Type.Array(Type.Ref(AdminEvent)),
    next_cursor: Type.Union([Type.String(), Type.Null()], {
      description: 'Send it as `cursor` for the next page; null at the end'
    })
  },
  { $id: 'AdminEventList', additionalProperties: false }
)
export type AdminEventList = Static<typeof AdminEventList>

const Answers = Type.Integer({ minimum: 0, description: 'How many answers; an event may stand for several' })

export const AdminInsightList = Type.Object(
  {
    insights: Type.Array(
      Type.Object(
        {
          pattern: Type.String({ description: 'What `postern.insights` calls it: see docs/monitoring.md' }),
          title: Type.String(),
          subject: Type.String({ description: 'The address, network, email or user that it is about' }),
          since: Timestamp,
          until: Timestamp,
          answers: Answers,
          evidence: Type.Object({}, { additionalProperties: true, description: 'What it is concluded from' }),
          advice: Type.String({ description: 'What to do about it' }),
          events: Type.Record(Type.String(), Type.String(), {
            description: 'The filters that list what was found at `/admin/api/events`'
          })
        },
        { additionalProperties: false }
      )
    ),
    total: Type.Integer({ description: 'How many there are; at most 200 are in the list' })
  },
  { $id: 'AdminInsightList', additionalProperties: false }
)

const Kind = {
  event_type: Type.String(),
  success: Type.Boolean(),
  failure_reason: Type.Union([Type.String(), Type.Null()]),
  answers: Answers
}

const Counts = Type.Array(Type.Object(Kind, { additionalProperties: false }))

export const AdminStats = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    bucket_seconds: Type.Integer(),
    users: Type.Integer({ description: 'How many there are now' }),
    totals: Counts,
    buckets: Type.Array(Type.Object({ at: Timestamp, counts: Counts }, { additionalProperties: false }), {
      description: 'The oldest first; without those in which nothing happened. The last one is not over.'
    }),
    previous: Type.Object(
      { from: Timestamp, to: Timestamp, totals: Counts },
      { additionalProperties: false, description: 'As many buckets before' }
    ),
    failures: Type.Array(
      Type.Object({ failure_reason: Type.String(), answers: Answers }, { additionalProperties: false }),
      { description: 'The most frequent reason first' }
    ),
    top_addresses: Type.Array(
      Type.Object(
        { ip_address: Type.String(), answers: Answers, accounts: Type.Integer() },
        { additionalProperties: false }
      ),
      { description: 'Where most of what looks like guessing came from: an IPv4 address or the /64 of an IPv6 one' }
    )
  },
  { $id: 'AdminStats', additionalProperties: false }
)
export type AdminStats = Static<typeof AdminStats>

export const SCHEMAS = [AdminEventList, AdminInsightList, AdminStats]

const duration = (description: string) => Type.Optional(Type.String({ maxLength: 16, description }))

export const InsightsQuery = Type.Object(
  { window: duration('A duration from `1h` to `30d`; `24h` by default'), emails: Emails },
  { additionalProperties: false }
)

export const StatsQuery = Type.Object(
  {
    window: duration('A duration from `5m` to `90d`; `24h` by default'),
    bucket: duration('A duration: at most 1000 buckets, whole hours above `1h`, and `1h` or more above two days')
  },
  { additionalProperties: false }
)

export const limit = queryInteger({ minimum: 1, maximum: 100, fallback: 50 })

const optional = (maxLength: number, description: string) => Type.Optional(Type.String({ maxLength, description }))

export const EventsQuery = Type.Object(
  {
    type: Type.Optional(Type.Unsafe<EventType>({ type: 'string', enum: Object.keys(EVENT_TYPES) })),
    success: Type.Optional(Type.Unsafe<'true' | 'false'>({ type: 'string', enum: ['true', 'false'] })),
    reason: Type.Optional(Type.Unsafe<FailureReason>({ type: 'string', enum: Object.keys(FAILURE_REASONS) })),
    ip: optional(64, 'An address, or a network such as `203.0.113.0/24`. A summary over a /64 has the network.'),
    email: optional(1024, 'A whole email, of which the canonical form is looked for, or an `email_ref`'),
    user_id: Type.Optional(Uuid),
    from: optional(40, 'RFC 3339; this time or later'),
    to: optional(40, 'RFC 3339; before this time'),
    cursor: Type.Optional(Type.String({ pattern: CURSOR_PATTERN, description: '`next_cursor` of the page before' })),
    limit: Type.Optional(
      Type.String({
        ...limit.schema,
        description: 'An integer from 1 to 100; 50 by default, and everything by default in a stream'
      })
    ),
    emails: Emails
  },
  { additionalProperties: false }
)

export const LiveQuery = Type.Object({ emails: Emails }, { additionalProperties: false })

/** A stream of lines, each an event. */
export const LiveAnswer = {
  description: 'The newest 60 events, then what comes: one a line, with empty lines between, until the stream ends',
  content: { 'application/x-ndjson': { schema: Type.Unsafe<never>({ type: 'string' }) } }
}

/** What `/admin/api/events` can be had as; the first by default. The others are streams of everything. */
export const EVENT_FORMATS = ['application/json', 'application/x-ndjson', 'text/csv'] as const

/** One answer in three forms. */
export const EventsAnswer = {
  description: 'A page, or with another `Accept` a stream of all that matches',
  content: {
    'application/json': { schema: Type.Ref(AdminEventList) },
    'application/x-ndjson': { schema: Type.Unsafe<never>({ type: 'string', description: 'One event a line' }) },
    'text/csv': { schema: Type.Unsafe<never>({ type: 'string', description: 'RFC 4180, with a head line' }) }
  }
}

export function presentEvents({ events, nextCursor }: EventPage, view: EmailView = SHOWN): AdminEventList {
  return { events: events.map((event) => presentAdminEvent(event, view)), next_cursor: nextCursor ?? null }
}

export function presentInsights({ insights, total }: { insights: Insight[]; total: number }, view: EmailView = SHOWN) {
  const list = insights.map((insight) => ({
    ...insight,
    subject: view.within(insight.subject),
    since: insight.since.toISOString(),
    until: insight.until.toISOString(),
    evidence: presentEvidence(insight.evidence, view),
    events: presentFilters(insight.events, view)
  }))
  return { insights: list, total }
}

/** Accounts are named by email; each can be followed, hidden or not. */
function presentEvidence(evidence: Insight['evidence'], view: EmailView): Insight['evidence'] {
  const { top_accounts: accounts, ...rest } = view.within(evidence)
  if (!Array.isArray(accounts)) return rest
  const named = evidence.top_accounts as { email: string }[]
  return {
    ...rest,
    top_accounts: accounts.map((account, index) => ({ ...account, ...view.ref(named[index]?.email ?? null) }))
  }
}

function presentFilters(filters: Insight['events'], view: EmailView): Insight['events'] {
  const { email_ref: ref } = view.ref(filters.email ?? null)
  return ref === undefined ? filters : { ...filters, email: ref }
}

export function presentStats(stats: Stats): AdminStats {
  const { from, to, bucketSeconds, users, counts, previousFrom, previous, topAddresses } = stats
  const buckets = new Map<string, CountRow[]>()
  for (const row of counts) {
    const start = row.at.toISOString()
    buckets.set(start, [...(buckets.get(start) ?? []), row])
  }
  return {
    from: from.toISOString(),
    to: to.toISOString(),
    bucket_seconds: bucketSeconds,
    users,
    totals: presentCounts(counts),
    buckets: [...buckets].map(([at, rows]) => ({ at, counts: presentCounts(rows) })),
    previous: { from: previousFrom.toISOString(), to: from.toISOString(), totals: presentCounts(previous) },
    failures: failuresOf(counts),
    top_addresses: topAddresses.map(({ address, ...rest }) => ({ ip_address: address, ...rest }))
  }
}

/** Added up over the buckets. */
function presentCounts(rows: CountRow[]): AdminStats['totals'] {
  const kinds = new Map<string, AdminStats['totals'][number]>()
  for (const { eventType, success, failureReason, answers } of rows) {
    const key = `${eventType} ${success} ${failureReason}`
    const known = kinds.get(key)
    const fresh = { event_type: eventType, success, failure_reason: failureReason || null, answers }
    kinds.set(key, known === undefined ? fresh : { ...known, answers: known.answers + answers })
  }
  return [...kinds.values()]
}

function failuresOf(rows: CountRow[]): AdminStats['failures'] {
  const reasons = new Map<string, number>()
  for (const { failureReason, answers } of rows) {
    if (failureReason !== '') reasons.set(failureReason, (reasons.get(failureReason) ?? 0) + answers)
  }
  const list = [...reasons].map(([failure_reason, answers]) => ({ failure_reason, answers }))
  return list.sort((a, b) => b.answers - a.answers)
}
