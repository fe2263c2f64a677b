import { type Static, Type } from '@sinclair/typebox'

/** Closed and typed; what the values must be is said by the email and password rules, all faults at once. */
export const Credentials = Type.Object(
  {
    email: Type.String({ description: 'At most 254 bytes in its canonical form', examples: ['ada@example.com'] }),
    password: Type.String({ description: 'At most 1024 bytes', examples: ['Correct1horse'] })
  },
  { $id: 'Credentials', additionalProperties: false }
)
export type Credentials = Static<typeof Credentials>

const Seconds = Type.Integer({ minimum: 0 })

export const Settings = Type.Object(
  {
    password: Type.Object(
      {
        policy: Type.Union([Type.Literal('classic'), Type.Literal('nist')]),
        min_length: Type.Integer({ description: 'In Unicode code points' }),
        max_bytes: Type.Integer({ description: 'In UTF-8, as sent' }),
        require_upper: Type.Boolean(),
        require_lower: Type.Boolean(),
        require_digit: Type.Boolean()
      },
      { additionalProperties: false }
    ),
    lifetimes: Type.Object(
      { access_token: Seconds, refresh_token: Seconds, session: Seconds },
      { additionalProperties: false, description: 'In seconds' }
    ),
    features: Type.Object(
      {
        introspection: Type.Boolean({ description: 'Introspection and revocation are offered to configured clients' })
      },
      { additionalProperties: false }
    )
  },
  { $id: 'Settings', additionalProperties: false }
)
export type Settings = Static<typeof Settings>
