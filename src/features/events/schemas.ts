import { type Static, Type } from '@sinclair/typebox'
import { EVENT_TYPES, type EventType, FAILURE_REASONS, type FailureReason } from '../../events.js'
import { CURSOR_PATTERN } from '../../lib/event-cursor.js'
import { queryInteger, Timestamp, Uuid } from '../../schemas.js'
import type { EventPage, EventRow } from './service.js'

const text = (description: string) => Type.Union([Type.String({ description }), Type.Null()])
const countOf = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }))

export const AuthEvent = Type.Object(
  {
    event_id: Uuid,
    event_type: Type.Unsafe<EventType>({ type: 'string', enum: Object.keys(EVENT_TYPES) }),
    success: Type.Boolean(),
    failure_reason: Type.Union([
      Type.Unsafe<FailureReason>({ type: 'string', enum: Object.keys(FAILURE_REASONS) }),
      Type.Null()
    ]),
    ip_address: text('Of whoever sent the request; a network where several addresses of it are counted in one event'),
    user_agent: text('As it was sent, at most 512 characters, with control characters escaped'),
    session_id: Type.Union([Uuid, Type.Null()]),
    created_at: Timestamp,
    details: Type.Object(
      {
        count: countOf('How many such answers this event stands for'),
        sessions_ended: countOf('How many sessions a logout ended')
      },
      { additionalProperties: false }
    )
  },
  { $id: 'AuthEvent', additionalProperties: false }
)
export type AuthEvent = Static<typeof AuthEvent>

export const AuthEventList = Type.Object(
  {
    events: Type.Array(Type.Ref(AuthEvent)),
    next_cursor: text('Send it as `cursor` for the next page; null at the end')
  },
  {
    $id: 'AuthEventList',
    additionalProperties: false,
    examples: [
      {
        events: [
          {
            event_id: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5c',
            event_type: 'login',
            success: false,
            failure_reason: 'wrong_password',
            ip_address: '203.0.113.7',
            user_agent: 'curl/8.5.0',
            session_id: null,
            created_at: '2026-01-14T09:30:00.000Z',
            details: {}
          }
        ],
        next_cursor: null
      }
    ]
  }
)
export type AuthEventList = Static<typeof AuthEventList>

export const limit = queryInteger({ minimum: 1, maximum: 100, fallback: 50 })

export const EventsQuery = Type.Object(
  {
    cursor: Type.Optional(Type.String({ pattern: CURSOR_PATTERN, description: '`next_cursor` of the page before' })),
    limit: limit.schema
  },
  { additionalProperties: false }
)

/**
 * What the user of an account sees of it. Attempts of strangers are part of it, with their address: that is what the list
 * is for. Of the details only what is named here: the rest is for operators, and may name other people.
 */
export function presentEvents({ events, nextCursor }: EventPage): AuthEventList {
  return { events: events.map(presentEvent), next_cursor: nextCursor ?? null }
}

function presentEvent(row: EventRow): AuthEvent {
  return {
    event_id: row.id,
    event_type: row.eventType as EventType,
    success: row.success,
    failure_reason: row.failureReason as FailureReason | null,
    // An admin is not one of the strangers that the list is to show.
    ip_address: row.details?.by === 'admin' ? null : row.ipAddress,
    user_agent: row.details?.by === 'admin' ? null : row.userAgent,
    session_id: row.sessionId,
    created_at: row.createdAt.toISOString(),
    details: { ...integer('count', row), ...integer('sessions_ended', row) }
  }
}

function integer<Name extends string>(name: Name, { details }: EventRow): { [name in Name]?: number } {
  const value = details?.[name]
  return (Number.isInteger(value) ? { [name]: value } : {}) as { [name in Name]?: number }
}
