import { ApiError } from '../../errors.js'
import type { UserRow, Users } from '../users/service.js'

export interface UserSearch {
  /** The beginning of an email, or a whole id; undefined for the newest users. */
  query: string | undefined
  /** `nextCursor` of the page before. */
  cursor: string | undefined
  limit: number
}

export interface UserPage {
  users: UserRow[]
  /** Undefined at the end. */
  nextCursor: string | undefined
}

type Kind = 'id' | 'email'

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Newest first, or with a `query` those whose email begins so, by email. Throws `invalid_request` for a cursor that no
 * page of the same search gave out.
 */
export function createUserSearch(users: Pick<Users, 'find' | 'listNewest' | 'listByEmail'>) {
  return async ({ query, cursor, limit }: UserSearch): Promise<UserPage> => {
    const text = query?.toLowerCase()
    if (text !== undefined && UUID.test(text)) return await one(users, text)
    const kind: Kind = text === undefined ? 'id' : 'email'
    const position = cursor === undefined ? undefined : positionOf(cursor, kind)
    const rows =
      text === undefined
        ? await users.listNewest({ before: position, limit: limit + 1 })
        : await users.listByEmail({ prefix: text, after: position, limit: limit + 1 })
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    return { users: page, nextCursor: rows.length > limit && last !== undefined ? encode(kind, last[kind]) : undefined }
  }
}

async function one(users: Pick<Users, 'find'>, id: string): Promise<UserPage> {
  const user = await users.find(id)
  return { users: user === undefined ? [] : [user], nextCursor: undefined }
}

function encode(kind: Kind, position: string): string {
  return Buffer.from(`${kind}:${position}`).toString('base64url')
}

/** Opaque to clients, and with one spelling. It only says where to go on. */
function positionOf(cursor: string, kind: Kind): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  const position = text.slice(kind.length + 1)
  const isWhole = kind === 'id' ? UUID.test(position) : !position.includes('\0')
  if (isWhole && encode(kind, position) === cursor) return position
  const message = 'Send the `next_cursor` of the page before, as it is, with the same query.'
  throw new ApiError('invalid_request', { errors: [{ field: 'cursor', code: 'invalid_format', message }] })
}
