import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { ERRORS, type ErrorCode } from './errors.js'
import { EVENT_TYPES, type EventType, FAILURE_REASONS, type FailureReason } from './events.js'
import { decimalRange } from './lib/decimal-range.js'
import { type EmailView, SHOWN } from './lib/email-view.js'

/** Either case is accepted in a request; an answer always has lower case. */
export const Uuid = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
  description: 'A UUID; those made here are version 7',
  examples: ['01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a']
})

export const Timestamp = Type.String({
  description: 'RFC 3339 in UTC, with milliseconds',
  examples: ['2026-01-14T09:30:00.000Z']
})

/** For an answer that has nothing else to say. */
export const Message = Type.Object(
  { message: Type.String() },
  { $id: 'Message', additionalProperties: false, examples: [{ message: 'Logged out' }] }
)
export type Message = Static<typeof Message>

/** What signup, login and refresh answer. */
export const TokenAnswer = Type.Object(
  {
    user_id: Uuid,
    email: Type.String({ description: 'Canonical form: lower case, domain in punycode' }),
    token: Type.String({ description: 'The access token: send it as `Authorization: Bearer <token>`' }),
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds for which the access token is valid' }),
    refresh_token: Type.String({ description: 'Exchange it at `/auth/refresh`; only the newest one is good' }),
    refresh_expires_in: Type.Integer({ description: 'Seconds for which the refresh token is valid' })
  },
  {
    $id: 'TokenAnswer',
    additionalProperties: false,
    examples: [
      {
        user_id: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a',
        email: 'ada@example.com',
        token: 'eyJhbGciOiJFUzI1NiIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl',
        token_type: 'Bearer',
        expires_in: 86400,
        refresh_token: 'prt_AQ',
        refresh_expires_in: 604800
      }
    ]
  }
)
export type TokenAnswer = Static<typeof TokenAnswer>

interface SignedIn {
  user: { id: string; email: string }
  session: { token: string; expiresIn: number; refreshToken: string; refreshExpiresIn: number }
}

/** The one place where a session becomes a token answer. */
export function presentTokens({ user, session }: SignedIn): TokenAnswer {
  return {
    user_id: user.id,
    email: user.email,
    token: session.token,
    token_type: 'Bearer',
    expires_in: session.expiresIn,
    refresh_token: session.refreshToken,
    refresh_expires_in: session.refreshExpiresIn
  }
}

/** The one body of every error (RFC 9457). */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Opens a page about the code' }),
    title: Type.String({ description: 'Constant for a code' }),
    status: Type.Integer(),
    code: Type.Unsafe<ErrorCode>({
      type: 'string',
      enum: Object.keys(ERRORS),
      description: 'Closed list; branch on this'
    }),
    detail: Type.String({ description: 'For people; may change' }),
    request_id: Type.String({ description: 'Also in `X-Request-Id`, and in the log' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object(
          {
            field: Type.String({ description: 'Dotted path of the field on the wire; empty for the body as a whole' }),
            code: Type.String({ examples: ['required', 'unknown_field', 'too_short'] }),
            message: Type.String(),
            min: Type.Optional(Type.Integer()),
            max: Type.Optional(Type.Integer())
          },
          { additionalProperties: false }
        ),
        { description: 'All the fields at fault, and only where fields are at fault' }
      )
    )
  },
  {
    $id: 'Problem',
    additionalProperties: false,
    examples: [
      {
        type: 'http://localhost:3000/auth/errors/invalid_credentials',
        title: 'Invalid email or password',
        status: 401,
        code: 'invalid_credentials',
        detail: 'The email or the password is wrong.',
        request_id: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5b'
      }
    ]
  }
)
export type Problem = Static<typeof Problem>

const nullableText = (description: string) => Type.Union([Type.String(), Type.Null()], { description })

/** Beside an email that is hidden. */
export const EmailRef = Type.Optional(
  Type.String({ description: 'With `emails=masked`: what to send in place of the email, as a filter' })
)

/** For whoever may see emails and does not need to. The trail has it of each call. */
export const Emails = Type.Optional(
  Type.Unsafe<'shown' | 'masked'>({
    type: 'string',
    enum: ['shown', 'masked'],
    description: '`masked` leaves of every email its first character and its domain; `shown` by default'
  })
)

/** An event as operators see it: all of it. */
export const AdminEvent = Type.Object(
  {
    event_id: Uuid,
    event_type: Type.Unsafe<EventType>({ type: 'string', enum: Object.keys(EVENT_TYPES) }),
    success: Type.Boolean(),
    failure_reason: Type.Union([
      Type.Unsafe<FailureReason>({ type: 'string', enum: Object.keys(FAILURE_REASONS) }),
      Type.Null()
    ]),
    user_id: Type.Union([Uuid, Type.Null()], { description: 'Whom it is about, as far as that is known' }),
    email: nullableText('Of the same; canonical form'),
    email_ref: EmailRef,
    session_id: Type.Union([Uuid, Type.Null()]),
    ip_address: nullableText(
      'Null for an act of the service itself; a network where several of its addresses are counted'
    ),
    user_agent: nullableText('At most 512 characters, with control characters escaped'),
    request_id: nullableText('As in the answer and in the log; null in a summary'),
    created_at: Timestamp,
    details: Type.Object({}, { additionalProperties: true, description: 'See docs/events.md' })
  },
  { $id: 'AdminEvent', additionalProperties: false }
)
export type AdminEvent = Static<typeof AdminEvent>

interface EventFields {
  id: string
  eventType: string
  success: boolean
  failureReason: string | null
  userId: string | null
  email: string | null
  sessionId: string | null
  ipAddress: string | null
  userAgent: string | null
  requestId: string | null
  createdAt: Date
  details: Record<string, unknown> | null
}

/** The one place where a row of the trail becomes what operators read, as JSON and in exports. */
export function presentAdminEvent(row: EventFields, view: EmailView = SHOWN): AdminEvent {
  return {
    event_id: row.id,
    event_type: row.eventType as EventType,
    success: row.success,
    failure_reason: row.failureReason as FailureReason | null,
    user_id: row.userId,
    email: view.email(row.email),
    ...view.ref(row.email),
    session_id: row.sessionId,
    ip_address: row.ipAddress,
    user_agent: row.userAgent,
    request_id: row.requestId,
    created_at: row.createdAt.toISOString(),
    details: view.within(row.details ?? {})
  }
}

/** The errors plugin adds these to the instance, so a route refers to them: `Type.Ref(TokenAnswer)`. */
export const sharedSchemas: TSchema[] = [Message, TokenAnswer, Problem, AdminEvent]

/** Typed `never`: a handler answers an error by throwing it, not by sending one. */
const problem = Type.Unsafe<never>(Type.Ref(Problem))

/** Spread into a route's `response`: `{ 200: Type.Ref(TokenAnswer), ...errorResponses }`. */
export const errorResponses = {
  '4xx': { description: 'Refused: `code` says why', content: { 'application/problem+json': { schema: problem } } },
  '5xx': {
    description: 'Failed, or not possible at the moment: see `Retry-After`',
    content: { 'application/problem+json': { schema: problem } }
  }
}

/** The params of a route below `/auth/users/:user_id`. */
export const UserParams = Type.Object({ user_id: Uuid }, { additionalProperties: false })
export type UserParams = Static<typeof UserParams>

/**
 * An optional integer in a query. The query is text and is never coerced, so the bounds (positive) are a pattern,
 * and the route reads the number with `parse`, which gives `fallback` for an absent parameter:
 *
 *     const limit = queryInteger({ minimum: 1, maximum: 100, fallback: 50 })
 *     querystring: Type.Object({ limit: limit.schema }, { additionalProperties: false })
 *     … limit.parse(request.query.limit)
 */
export function queryInteger({ minimum, maximum, fallback }: { minimum: number; maximum: number; fallback: number }) {
  const text = Type.String({
    pattern: decimalRange(minimum, maximum),
    description: `An integer from ${minimum} to ${maximum}; ${fallback} by default`
  })
  return {
    schema: Type.Optional(text),
    parse: (value: string | undefined): number => (value === undefined ? fallback : Number(value))
  }
}

/**
 * The body schema of a route whose body may be absent: Fastify validates an absent body as null, and hands the
 * handler `undefined`, so read it as `request.body ?? {}`. The text `null` is a body, and the parser refuses it.
 */
export function optionalBody<Body extends TSchema>(body: Body) {
  return Type.Union([body, Type.Null()])
}
