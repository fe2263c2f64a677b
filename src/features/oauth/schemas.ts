import { type Static, Type } from '@sinclair/typebox'
import { Uuid } from '../../schemas.js'

export const TokenForm = Type.Object(
  {
    token: Type.String({ minLength: 1, description: 'An access token or a refresh token' }),
    token_type_hint: Type.Optional(Type.String({ description: 'Not needed; a wrong one does no harm' }))
  },
  { $id: 'TokenForm', additionalProperties: false }
)
export type TokenForm = Static<typeof TokenForm>

/** RFC 7662, section 2.2. What is not live is `{"active":false}` and nothing else. */
export const Introspection = Type.Object(
  {
    active: Type.Boolean(),
    token_use: Type.Optional(
      Type.Union([Type.Literal('access_token'), Type.Literal('refresh_token')], {
        description: 'A refresh token must never be taken for an access token'
      })
    ),
    token_type: Type.Optional(Type.Literal('Bearer', { description: 'Only of an access token' })),
    sub: Type.Optional(Uuid),
    sid: Type.Optional(Uuid),
    username: Type.Optional(Type.String({ description: "The user's email as it is now" })),
    iss: Type.Optional(Type.String()),
    aud: Type.Optional(Type.String({ description: 'Only of an access token' })),
    jti: Type.Optional(Type.String({ description: 'Only of an access token' })),
    iat: Type.Optional(Type.Integer({ description: 'Seconds since 1970' })),
    exp: Type.Optional(Type.Integer({ description: 'Seconds since 1970' }))
  },
  {
    $id: 'Introspection',
    additionalProperties: false,
    examples: [
      {
        active: true,
        token_use: 'access_token',
        token_type: 'Bearer',
        sub: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a',
        sid: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5c',
        username: 'ada@example.com',
        iss: 'http://localhost:3000/auth',
        aud: 'postern',
        jti: '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5d',
        iat: 1768383000,
        exp: 1768469400
      },
      { active: false }
    ]
  }
)
export type Introspection = Static<typeof Introspection>
