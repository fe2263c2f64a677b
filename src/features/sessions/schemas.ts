import { type Static, Type } from '@sinclair/typebox'
import { Timestamp, Uuid } from '../../schemas.js'
import type { LogoutScope, SessionRow } from './service.js'

const RefreshToken = Type.String({ description: 'The newest refresh token of a session', examples: ['prt_AQGQnHA…'] })

export const RefreshRequest = Type.Object(
  { refresh_token: RefreshToken },
  { $id: 'RefreshRequest', additionalProperties: false }
)
export type RefreshRequest = Static<typeof RefreshRequest>

export const LogoutRequest = Type.Object(
  {
    scope: Type.Optional(
      Type.Unsafe<LogoutScope>({
        type: 'string',
        enum: ['session', 'all', 'others'],
        description: '`session` (default): this one; `all`: every one of the user; `others`: all but this one'
      })
    ),
    refresh_token: Type.Optional(RefreshToken)
  },
  { $id: 'LogoutRequest', additionalProperties: false, examples: [{ scope: 'all' }] }
)
export type LogoutRequest = Static<typeof LogoutRequest>

export const Session = Type.Object(
  {
    session_id: Uuid,
    created_at: Timestamp,
    last_seen_at: Type.String({ description: 'RFC 3339; at most a minute or so behind' }),
    expires_at: Type.String({ description: 'RFC 3339; the end that no refresh moves' }),
    ip_address: Type.Union([Type.String(), Type.Null()], { description: 'Where it was begun' }),
    user_agent: Type.Union([Type.String(), Type.Null()], { description: 'With what it was begun' }),
    current: Type.Boolean({ description: 'The session of the token that asked' })
  },
  {
    $id: 'Session',
    additionalProperties: false,
    examples: [
      {
        session_id: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5c',
        created_at: '2026-01-14T09:30:00.000Z',
        last_seen_at: '2026-01-14T11:02:17.250Z',
        expires_at: '2026-02-13T09:30:00.000Z',
        ip_address: '203.0.113.7',
        user_agent: 'Mozilla/5.0',
        current: true
      }
    ]
  }
)
export type Session = Static<typeof Session>

export const SessionList = Type.Object(
  { sessions: Type.Array(Type.Ref(Session)) },
  { $id: 'SessionList', additionalProperties: false }
)
export type SessionList = Static<typeof SessionList>

export const SessionParams = Type.Object({ user_id: Uuid, session_id: Uuid }, { additionalProperties: false })

/** The one place where a row becomes what its user may see: no counter, nothing that a token is made from. */
export function presentSession(row: SessionRow, currentId: string): Session {
  return {
    session_id: row.id,
    created_at: row.createdAt.toISOString(),
    last_seen_at: row.lastSeenAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    ip_address: row.ipAddress,
    user_agent: row.userAgent,
    current: row.id === currentId
  }
}
