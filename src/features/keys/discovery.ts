import type { Static } from '@sinclair/typebox'
import type { Metadata } from './schemas.js'

/**
 * RFC 8414. Postern is no authorization server with a token endpoint: it names what it has. Every URL is below the
 * configured issuer; the request's Host is never used.
 */
export function metadata(issuer: string, hasClients: boolean): Static<typeof Metadata> {
  const auth: 'client_secret_basic'[] = ['client_secret_basic']
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: [],
    token_endpoint_auth_methods_supported: [],
    service_documentation: `${issuer}/openapi.json`,
    ...(hasClients && {
      introspection_endpoint: `${issuer}/introspect`,
      introspection_endpoint_auth_methods_supported: auth,
      revocation_endpoint: `${issuer}/revoke`,
      revocation_endpoint_auth_methods_supported: auth
    })
  }
}
