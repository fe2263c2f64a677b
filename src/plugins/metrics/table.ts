import { EVENT_TYPES, type EventType } from '../../events.js'
import type { DatabaseState } from '../database/index.js'
import type { LimiterMode, LimitName } from '../rate-limit/index.js'
import { type MetricDefinition, membersOf, outcomes, RESULTS } from './definition.js'

/** A request takes milliseconds; one that hashes takes tenths of a second, or waits for `HASH_QUEUE_SECONDS`. */
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const
const HASH_BUCKETS = [0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5] as const
const DELAY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const

/** The events that say how an attempt went. */
const ATTEMPTS = {
  postern_logins_total: {
    type: 'counter',
    help: 'Attempts to log in',
    labels: outcomes(
      'unknown_email',
      'wrong_password',
      'inactive_account',
      'invalid_request',
      'rate_limited',
      'account_throttled',
      'overloaded'
    )
  },
  postern_signups_total: {
    type: 'counter',
    help: 'Attempts to sign up',
    labels: outcomes('email_taken', 'weak_password', 'invalid_request', 'rate_limited', 'overloaded')
  },
  postern_refreshes_total: {
    type: 'counter',
    help: 'Attempts to exchange a refresh token',
    labels: outcomes(
      'refresh_malformed',
      'refresh_forged',
      'refresh_expired',
      'refresh_reused',
      'session_ended',
      'inactive_account',
      'invalid_request',
      'rate_limited'
    )
  },
  postern_token_checks_total: {
    type: 'counter',
    help: 'Bearer tokens that were presented; a success includes the check of the session where the route asks for it',
    labels: outcomes(
      'token_malformed',
      'token_expired',
      'bad_signature',
      'unknown_key',
      'wrong_algorithm',
      'wrong_type',
      'missing_claim',
      'invalid_claim',
      'wrong_issuer',
      'wrong_audience',
      'session_ended'
    )
  }
} as const satisfies Record<string, MetricDefinition>

const ABUSE = {
  postern_missing_tokens_total: {
    type: 'counter',
    help: 'Requests that were refused because they had no bearer token at all'
  },
  postern_rate_limited_total: {
    type: 'counter',
    help: 'Requests over the limit of their address, by the name of the limit',
    labels: { limit: membersOf<LimitName>({ login: true, signup: true, refresh: true }) }
  },
  postern_rate_limit_mode: {
    type: 'gauge',
    help: '1 for how attempts are counted, 0 for the others; degraded: by this instance alone, while Redis is away',
    labels: { mode: membersOf<LimiterMode>({ local: true, shared: true, degraded: true }) }
  },
  postern_rate_limit_mode_changes_total: {
    type: 'counter',
    help: 'Changes of that mode, by what it became; the first after a start is none',
    labels: { mode: ['shared', 'degraded'] }
  },
  postern_untrusted_forwarded_total: {
    type: 'counter',
    help: 'Requests with forwarded headers from a peer that TRUST_PROXY does not name: above 0 behind a gateway, all clients share one limit'
  },
  postern_events_total: {
    type: 'counter',
    help: 'Events of the audit trail, written as a row or counted in one, by type',
    labels: { type: Object.keys(EVENT_TYPES) as EventType[], result: RESULTS }
  }
} as const satisfies Record<string, MetricDefinition>

const SESSIONS = {
  postern_session_checks_total: {
    type: 'counter',
    help: 'Checks whether the session of a good token lives; failed: the database gave no answer',
    labels: { result: ['live', 'ended', 'failed'] }
  },
  postern_session_check_queries_total: {
    type: 'counter',
    help: 'Queries that these checks took: checks at the same moment share one'
  },
  postern_sessions: {
    type: 'gauge',
    help: 'Sessions that live, of all instances; estimated above 10,000, and asked for at most once a minute'
  },
  postern_signing_keys: {
    type: 'gauge',
    help: 'Signing keys by state, as this instance knows them',
    labels: { state: ['next', 'current', 'previous'] }
  },
  postern_signing_key_age_seconds: {
    type: 'gauge',
    help: 'For how long the current key has been signing; absent while there is none'
  }
} as const satisfies Record<string, MetricDefinition>

const HASHING = {
  postern_hash_seconds: {
    type: 'histogram',
    help: 'How long hashing one password took, without the wait before it',
    buckets: HASH_BUCKETS
  },
  postern_hashes_running: { type: 'gauge', help: 'Passwords that are being hashed' },
  postern_hashes_waiting: { type: 'gauge', help: 'Passwords that wait for their turn to be hashed' },
  postern_hashes_refused_total: {
    type: 'counter',
    help: 'Passwords that were not hashed because too many waited: the answer was 503 overloaded'
  }
} as const satisfies Record<string, MetricDefinition>

const DATABASE = {
  postern_database_state: {
    type: 'gauge',
    help: '1 for the state that the database is in, as this instance sees it, 0 for the others',
    labels: { state: membersOf<DatabaseState>({ starting: true, ready: true, unavailable: true }) }
  },
  postern_database_calls_running: { type: 'gauge', help: 'Statements and transactions that hold a connection' },
  postern_database_calls_waiting: { type: 'gauge', help: 'Statements and transactions that wait for a connection' },
  postern_database_calls_limit: { type: 'gauge', help: 'How many may hold a connection at once' },
  postern_database_timeouts_total: {
    type: 'counter',
    help: 'Statements and transactions that were given up after DATABASE_TIMEOUT'
  }
} as const satisfies Record<string, MetricDefinition>

const PROCESS = {
  postern_http_request_seconds: {
    type: 'histogram',
    help: 'From the head of a request to the end of its answer',
    labels: {
      route: 'the patterns of the routes, and `unrouted`',
      status: ['1xx', '2xx', '3xx', '4xx', '5xx']
    },
    buckets: REQUEST_BUCKETS
  },
  postern_event_loop_delay_seconds: {
    type: 'histogram',
    help: 'How much later than its time a timer fired, ten times a second',
    buckets: DELAY_BUCKETS
  },
  postern_info: { type: 'gauge', help: 'Always 1', labels: { version: 'the version that runs' } },
  process_cpu_seconds_total: { type: 'counter', help: 'Processor time, of user and system' },
  process_resident_memory_bytes: { type: 'gauge', help: 'Resident memory' },
  process_start_time_seconds: { type: 'gauge', help: 'When the process started, since the Unix epoch' },
  nodejs_heap_size_used_bytes: { type: 'gauge', help: "Of V8's heap, what is in use" },
  nodejs_heap_size_total_bytes: { type: 'gauge', help: "V8's heap" }
} as const satisfies Record<string, MetricDefinition>

/**
 * Every metric, in the order of the documents: `/metrics` is made from this, `docs/metrics.md`, the dashboard and the
 * alerts are compared with it. No label has a value that comes from a client.
 */
export const METRICS = { ...ATTEMPTS, ...ABUSE, ...SESSIONS, ...HASHING, ...DATABASE, ...PROCESS } as const

type Table = typeof METRICS
export type MetricName = keyof Table
export type AttemptMetric = keyof typeof ATTEMPTS
export type HistogramName = { [Name in MetricName]: Table[Name]['type'] extends 'histogram' ? Name : never }[MetricName]
export type CounterName = { [Name in MetricName]: Table[Name]['type'] extends 'counter' ? Name : never }[MetricName]
/** What is read when it is asked for. */
export type ReadableName = Exclude<MetricName, HistogramName>

type LabelsIn<Definition> = Definition extends { labels: infer Labels }
  ? { [Label in keyof Labels]: Labels[Label] extends readonly (infer Value)[] ? Value : string }
  : Record<never, string>
export type LabelsOf<Name extends MetricName> = LabelsIn<Table[Name]>
