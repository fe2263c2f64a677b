import { type KeyHolder, requireSigner } from './holder.js'
import type { KeyRow } from './store.js'
import type { PublicJwk, SigningKey } from './types.js'

/** Which keys others may trust: for a check of a token here, and for those who check tokens by themselves. */
export function createPublished(holder: KeyHolder) {
  const { ring, secretKid } = holder

  const isAccepted = (row: KeyRow): boolean => !['revoked', 'retired'].includes(holder.stateOf(row, ring.rows()))

  function accepted(kid: string): SigningKey | undefined {
    const row = ring.rows().find((candidate) => candidate.kid === kid)
    return row !== undefined && isAccepted(row) ? ring.key(kid) : undefined
  }

  /** Where JWT_SECRET signs nobody waits for the next key pair, so that only what signed before is of use. */
  const isPublished = (row: KeyRow): boolean =>
    isAccepted(row) && (secretKid === undefined || holder.stateOf(row, ring.rows()) !== 'next')

  function published(): { key: SigningKey; jwk: PublicJwk }[] {
    if (secretKid === undefined) requireSigner(holder)
    const keys = ring
      .rows()
      .filter(isPublished)
      .map(({ kid }) => ring.key(kid))
    return keys.flatMap((key) => (key?.publicJwk ? [{ key, jwk: key.publicJwk }] : []))
  }

  return {
    /** Undefined for a key that is unknown, retired or revoked. Throws `unavailable` when that cannot be known. */
    async find(kid: string): Promise<SigningKey | undefined> {
      const known = holder.isFresh() ? accepted(kid) : undefined
      if (known !== undefined) return known
      await holder.reload()
      return accepted(kid)
    },

    /**
     * The public keys of everything that signs, will sign, or signed a token that may be alive. Throws `unavailable` rather
     * than leave out what signs: verifiers would keep that answer.
     */
    jwks: (): { keys: PublicJwk[] } => ({ keys: published().map(({ jwk }) => jwk) }),

    /** The keys of the JWKS as SPKI PEM, for what takes no JWK. Throws as `jwks` does. */
    pems: (): { kid: string; algorithm: string; pem: string }[] =>
      published().map(({ key }) => ({ kid: key.kid, algorithm: key.algorithm, pem: String(key.verifyWith) }))
  }
}
