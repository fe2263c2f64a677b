import { Type } from '@sinclair/typebox'

const OwnerPath = Type.String({
  description: 'A path with `:user_id` as one segment, at the end perhaps `/*`',
  examples: ['/api/:user_id/*']
})

export const VerifyQuery = Type.Object(
  {
    owner_path: Type.Optional(
      Type.Union([OwnerPath, Type.Array(OwnerPath)], {
        description: 'Replaces the rules of OWNER_PATHS; may stand more than once. For the configuration of the gateway'
      })
    )
  },
  { additionalProperties: false }
)

const header = (description: string) => ({ type: 'string', description })

/** Empty; what it has to say is in its headers. */
export const Verified = Type.Unsafe<undefined>({
  type: 'null',
  description: "The token is good, and the path is nobody else's by any rule",
  headers: {
    'X-User-Id': header('The id of the user, a UUID in lower case'),
    'X-User-Email': header('The email of the user, in its canonical form'),
    'X-Session-Id': header('The id of the session, a UUID in lower case'),
    'X-Auth-Request-Id': header('The id of this question, as in the log and in the audit trail')
  }
})

/** A line end in one of them would be a header of somebody else's choice in the request to the API. */
const HEADER_TEXT = /^[\x21-\x7e]+$/

interface Asked {
  id: string
  identity: { userId: string; email: string; sessionId: string }
}

/** Always all of them, so that a gateway overwrites whatever a client sent. Throws for what is not visible ASCII. */
export function identityHeaders({ id, identity }: Asked): Record<string, string> {
  const headers = {
    'x-user-id': identity.userId,
    'x-user-email': identity.email,
    'x-session-id': identity.sessionId,
    'x-auth-request-id': id
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_TEXT.test(value)) throw new Error(`${name} cannot be put into a header`)
  }
  return headers
}

/** The same JSON, without a character that a header could not hold. */
export function asciiJson(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
