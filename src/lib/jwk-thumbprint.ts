import { createHash } from 'node:crypto'

/** RFC 7638, 3.2 and RFC 8037, 2: the members that make the key, in lexicographic order. */
const REQUIRED_MEMBERS: Record<string, readonly string[]> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n']
}

/** The RFC 7638 thumbprint (SHA-256, 43 characters) of a public key. Throws for a type that has no public key. */
export function jwkThumbprint(jwk: { readonly [member: string]: unknown }): string {
  const members = REQUIRED_MEMBERS[String(jwk.kty)]
  if (members === undefined) throw new TypeError(`No thumbprint for a key of type ${String(jwk.kty)}`)
  const canonical = JSON.stringify(Object.fromEntries(members.map((member) => [member, jwk[member]])))
  return createHash('sha256').update(canonical).digest('base64url')
}
