import { type Static, Type } from '@sinclair/typebox'
import { AdminEvent, presentAdminEvent, queryInteger, Timestamp, Uuid } from '../../schemas.js'
import type { SessionRow, UserChange, UserDossier, UserPage, UserRow } from './service.js'

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description })
const NextCursor = nullable('Send it as `cursor` for the next page; null at the end')
const Role = Type.Unsafe<'user' | 'admin'>({ type: 'string', enum: ['user', 'admin'] })

export const limit = queryInteger({ minimum: 1, maximum: 100, fallback: 50 })

export const AdminUser = Type.Object(
  {
    user_id: Uuid,
    email: Type.String({ description: 'Canonical form: lower case, domain in punycode' }),
    role: Role,
    is_active: Type.Boolean(),
    created_at: Timestamp,
    last_login: Type.Union([Timestamp, Type.Null()])
  },
  { $id: 'AdminUser', additionalProperties: false }
)
export type AdminUser = Static<typeof AdminUser>

export const AdminUserList = Type.Object(
  { users: Type.Array(Type.Ref(AdminUser)), next_cursor: NextCursor },
  { $id: 'AdminUserList', additionalProperties: false }
)

export const AdminSession = Type.Object(
  {
    session_id: Uuid,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    refreshed_at: Timestamp,
    expires_at: Timestamp,
    ip_address: nullable('Where it was begun'),
    user_agent: nullable('With what it was begun')
  },
  { $id: 'AdminSession', additionalProperties: false }
)
export type AdminSession = Static<typeof AdminSession>

export const AdminUserDossier = Type.Object(
  {
    user: Type.Ref(AdminUser),
    sessions: Type.Array(Type.Ref(AdminSession), { description: 'Live ones, newest first' }),
    events: Type.Array(Type.Ref(AdminEvent), { description: 'The newest 50; all of them are at `/admin/api/events`' })
  },
  { $id: 'AdminUserDossier', additionalProperties: false }
)
export type AdminUserDossier = Static<typeof AdminUserDossier>

export const AdminUserChange = Type.Object(
  {
    is_active: Type.Optional(Type.Boolean({ description: 'False ends every session of the user' })),
    role: Type.Optional(Role)
  },
  { $id: 'AdminUserChange', additionalProperties: false, minProperties: 1, examples: [{ is_active: false }] }
)
export type AdminUserChange = Static<typeof AdminUserChange>

export const SetupRequest = Type.Object(
  { token: Type.String({ maxLength: 64 }), email: Type.String(), password: Type.String() },
  { additionalProperties: false }
)

export const UsersQuery = Type.Object(
  {
    query: Type.Optional(
      Type.String({ minLength: 1, maxLength: 254, description: 'The beginning of an email, or a whole id' })
    ),
    cursor: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_-]{1,400}$', description: '`next_cursor` of the page before' })
    ),
    limit: limit.schema
  },
  { additionalProperties: false }
)

export const SCHEMAS = [AdminUser, AdminUserList, AdminSession, AdminUserDossier, AdminUserChange]

/** The one place where a row becomes what an operator may see: no password hash. */
export function presentUser(user: UserRow): AdminUser {
  return {
    user_id: user.id,
    email: user.email,
    role: user.role,
    is_active: user.isActive,
    created_at: user.createdAt.toISOString(),
    last_login: user.lastLogin?.toISOString() ?? null
  }
}

export function presentUsers({ users, nextCursor }: UserPage): Static<typeof AdminUserList> {
  return { users: users.map(presentUser), next_cursor: nextCursor ?? null }
}

/** No counter, nothing that a token is made from. */
function presentSession(row: SessionRow): AdminSession {
  return {
    session_id: row.id,
    created_at: row.createdAt.toISOString(),
    last_seen_at: row.lastSeenAt.toISOString(),
    refreshed_at: row.refreshedAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    ip_address: row.ipAddress,
    user_agent: row.userAgent
  }
}

export function presentDossier({ user, sessions, events }: UserDossier): AdminUserDossier {
  return { user: presentUser(user), sessions: sessions.map(presentSession), events: events.map(presentAdminEvent) }
}

/** What is absent stays as it is. */
export function changeOf({ is_active: isActive, role }: AdminUserChange): UserChange {
  return { ...(isActive !== undefined && { isActive }), ...(role !== undefined && { role }) }
}
