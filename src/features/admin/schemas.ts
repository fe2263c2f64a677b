import { type Static, Type } from '@sinclair/typebox'
import { type EmailView, SHOWN } from '../../lib/email-view.js'
import { AdminEvent, Emails, presentAdminEvent, queryInteger, Timestamp, Uuid } from '../../schemas.js'
import type { KeyDescription, Rotation, SessionRow, UserChange, UserDossier, UserPage, UserRow } from './service.js'

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
    limit: limit.schema,
    emails: Emails
  },
  { additionalProperties: false }
)

export const EmailsQuery = Type.Object({ emails: Emails }, { additionalProperties: false })

export const SessionParams = Type.Object({ user_id: Uuid, session_id: Uuid }, { additionalProperties: false })

const nullableTime = (description: string) => Type.Union([Timestamp, Type.Null()], { description })

export const AdminKey = Type.Object(
  {
    kid: Type.String(),
    algorithm: Type.String(),
    state: Type.Unsafe<KeyDescription['state']>({
      type: 'string',
      enum: ['next', 'current', 'previous', 'retired', 'revoked']
    }),
    created_at: Timestamp,
    active_at: Type.String({ ...Timestamp, description: 'From when it signs; in the future for the next key' }),
    replaced_at: nullableTime('When another key took over'),
    retires_at: nullableTime('When the last token that it signed expires; null while it signs, or will'),
    revoked_at: nullableTime('When it was withdrawn'),
    ready_at: nullableTime('Of the next key: from when a rotation to it has to be forced no longer')
  },
  { $id: 'AdminKey', additionalProperties: false }
)
export type AdminKey = Static<typeof AdminKey>

export const AdminKeyList = Type.Object(
  { keys: Type.Array(Type.Ref(AdminKey), { description: 'All there ever were, oldest first; never key material' }) },
  { $id: 'AdminKeyList', additionalProperties: false }
)

const NullableKey = (description: string) => Type.Union([Type.Ref(AdminKey), Type.Null()], { description })

export const AdminKeyRotation = Type.Object(
  {
    current: Type.Ref(AdminKey),
    previous: NullableKey('The key that signed until now'),
    next: NullableKey('The key that will sign after the current one')
  },
  { $id: 'AdminKeyRotation', additionalProperties: false }
)

export const AdminKeyRotate = Type.Object(
  {
    force: Type.Optional(
      Type.Boolean({ description: 'Before `ready_at`: verifiers that keep the key set refuse new tokens for a while' })
    )
  },
  { $id: 'AdminKeyRotate', additionalProperties: false, examples: [{ force: true }] }
)

export const KeyParams = Type.Object(
  { kid: Type.String({ pattern: '^[A-Za-z0-9_-]{1,128}$', description: 'Of the list, whole' }) },
  { additionalProperties: false }
)

export const AdminSettings = Type.Object(
  {
    settings: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          value: Type.Union([Type.String(), Type.Null()], {
            description: 'As it would stand in the environment; null where there is none, and always for a secret'
          }),
          source: Type.Unsafe<SettingState['source']>({
            type: 'string',
            enum: ['environment', 'file', 'default', 'generated']
          }),
          is_secret: Type.Boolean(),
          is_set: Type.Boolean({ description: 'Whether there is a value; all that is told of a secret' }),
          default: Type.String({ description: 'Markdown' }),
          allowed: Type.String({ description: 'Markdown; completes "must be …"' }),
          description: Type.String({ description: 'Markdown' })
        },
        { additionalProperties: false }
      )
    ),
    version: Type.String({ description: 'Of the Postern that answers' }),
    node: Type.String({ description: 'Of the Node that it runs on' })
  },
  { $id: 'AdminSettings', additionalProperties: false }
)

export const SCHEMAS = [
  ...[AdminUser, AdminUserList, AdminSession, AdminUserDossier, AdminUserChange],
  ...[AdminKey, AdminKeyList, AdminKeyRotation, AdminKeyRotate, AdminSettings]
]

/** The one place where a row becomes what an operator may see: no password hash. */
export function presentUser(user: UserRow, view: EmailView = SHOWN): AdminUser {
  return {
    user_id: user.id,
    email: view.email(user.email),
    role: user.role,
    is_active: user.isActive,
    created_at: user.createdAt.toISOString(),
    last_login: user.lastLogin?.toISOString() ?? null
  }
}

export function presentUsers({ users, nextCursor }: UserPage, view: EmailView): Static<typeof AdminUserList> {
  return { users: users.map((user) => presentUser(user, view)), next_cursor: nextCursor ?? null }
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

export function presentDossier({ user, sessions, events }: UserDossier, view: EmailView = SHOWN): AdminUserDossier {
  return {
    user: presentUser(user, view),
    sessions: sessions.map(presentSession),
    events: events.map((event) => presentAdminEvent(event, view))
  }
}

/** What is absent stays as it is. */
export function changeOf({ is_active: isActive, role }: AdminUserChange): UserChange {
  return { ...(isActive !== undefined && { isActive }), ...(role !== undefined && { role }) }
}

/** Only what signs no more has an end: that of the others moves on. */
function endOf({ state, retiresAt }: KeyDescription): Date | null {
  return state === 'previous' || state === 'retired' ? retiresAt : null
}

/** The one place where a key becomes what an operator may see: times, never key material. */
export function presentKey(key: KeyDescription): AdminKey {
  return {
    kid: key.kid,
    algorithm: key.algorithm,
    state: key.state,
    created_at: key.createdAt.toISOString(),
    active_at: key.activeAt.toISOString(),
    replaced_at: key.replacedAt?.toISOString() ?? null,
    retires_at: endOf(key)?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    ready_at: key.readyAt?.toISOString() ?? null
  }
}

export function presentKeys(keys: KeyDescription[]): Static<typeof AdminKeyList> {
  return { keys: keys.map(presentKey) }
}

export function presentRotation({ current, previous, next }: Rotation): Static<typeof AdminKeyRotation> {
  return {
    current: presentKey(current),
    previous: previous ? presentKey(previous) : null,
    next: next ? presentKey(next) : null
  }
}

export interface SettingState {
  name: string
  source: 'environment' | 'file' | 'default' | 'generated'
  value: string | null
  isSecret: boolean
  isSet: boolean
  description: string
  allowed: string
  default: string
}

/** A secret has no value by now; that it has none here either does not rest on whoever read the settings. */
export function presentSettings(
  settings: readonly SettingState[],
  version: string,
  node: string
): Static<typeof AdminSettings> {
  const list = settings.map(({ isSecret, isSet, value, name, source, description, allowed, default: fallback }) => ({
    name,
    value: isSecret ? null : value,
    source,
    is_secret: isSecret,
    is_set: isSet,
    default: fallback,
    allowed,
    description
  }))
  return { settings: list, version, node }
}
