import { Type } from '@sinclair/typebox'

export const KeySet = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Type.String(),
          use: Type.Literal('sig'),
          alg: Type.String(),
          kid: Type.String(),
          crv: Type.Optional(Type.String()),
          x: Type.Optional(Type.String()),
          y: Type.Optional(Type.String()),
          n: Type.Optional(Type.String()),
          e: Type.Optional(Type.String())
        },
        { additionalProperties: false }
      )
    )
  },
  { $id: 'KeySet', additionalProperties: false, description: 'RFC 7517; public keys alone' }
)

const Url = Type.String({ description: 'Below the issuer' })
const ClientAuth = Type.Array(Type.Literal('client_secret_basic'))

export const Metadata = Type.Object(
  {
    issuer: Type.String(),
    jwks_uri: Url,
    response_types_supported: Type.Array(Type.String()),
    grant_types_supported: Type.Array(Type.String()),
    token_endpoint_auth_methods_supported: Type.Array(Type.String()),
    service_documentation: Url,
    introspection_endpoint: Type.Optional(Url),
    introspection_endpoint_auth_methods_supported: Type.Optional(ClientAuth),
    revocation_endpoint: Type.Optional(Url),
    revocation_endpoint_auth_methods_supported: Type.Optional(ClientAuth)
  },
  { $id: 'Metadata', additionalProperties: false, description: 'RFC 8414' }
)
