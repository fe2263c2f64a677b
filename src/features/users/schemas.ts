import { type Static, Type } from '@sinclair/typebox'
import { Timestamp, Uuid } from '../../schemas.js'
import type { UserRow } from './store.js'

export const User = Type.Object(
  {
    user_id: Uuid,
    email: Type.String({ description: 'Canonical form: lower case, domain in punycode' }),
    is_active: Type.Boolean(),
    created_at: Timestamp,
    last_login: Type.Union([Timestamp, Type.Null()])
  },
  {
    $id: 'User',
    additionalProperties: false,
    examples: [
      {
        user_id: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a',
        email: 'ada@example.com',
        is_active: true,
        created_at: '2026-01-14T09:30:00.000Z',
        last_login: '2026-01-14T09:31:12.345Z'
      }
    ]
  }
)
export type User = Static<typeof User>

/** The one place where a row becomes what a client may see. */
export function presentUser(user: UserRow): User {
  return {
    user_id: user.id,
    email: user.email,
    is_active: user.isActive,
    created_at: user.createdAt.toISOString(),
    last_login: user.lastLogin?.toISOString() ?? null
  }
}
