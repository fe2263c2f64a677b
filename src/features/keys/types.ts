import type { AuditEvent } from '../../events.js'
import type { Db } from '../../plugins/database/index.js'

export type Algorithm = 'HS256' | 'ES256' | 'EdDSA' | 'RS256'
export type AsymmetricAlgorithm = Exclude<Algorithm, 'HS256'>
export type KeyState = 'next' | 'current' | 'previous' | 'retired' | 'revoked'

/** A key in memory. The same object for as long as the key is accepted: a cache may compare identities. */
export interface SigningKey {
  readonly kid: string
  /** The only algorithm that this key is ever used with. */
  readonly algorithm: Algorithm
  /** PKCS #8 PEM; for HS256 the secret's bytes. */
  readonly signWith: string | Buffer
  /** SPKI PEM; for HS256 the secret's bytes. */
  readonly verifyWith: string | Buffer
  /** RFC 7517, public members only; undefined for HS256, which has nothing to publish. */
  readonly publicJwk: PublicJwk | undefined
}

export interface PublicJwk {
  readonly kty: string
  readonly use: 'sig'
  readonly alg: AsymmetricAlgorithm
  readonly kid: string
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
}

/** The times of a key: everything that its state follows from. */
export interface KeyTimes {
  readonly kid: string
  readonly algorithm: Algorithm
  readonly createdAt: Date
  readonly activeAt: Date
  readonly replacedAt: Date | null
  readonly retiresAt: Date
  readonly revokedAt: Date | null
}

/** A key as an operator sees it: times, never key material. */
export interface KeyDescription extends KeyTimes {
  readonly state: KeyState
  /** Of the next key: from when a rotation to it has to be forced no longer. */
  readonly readyAt: Date | null
}

/** Whoever asks for a change of the keys on behalf of a person. What a schedule does by itself has none. */
export interface KeyAuthor {
  /** In the transaction of the change, before it. Rejects when this person may not. */
  permit(tx: Db): Promise<void>
  /** Writes the event of the change in its transaction, with the person in it. */
  record(tx: Db, event: AuditEvent): Promise<void>
  /** In place of an event of a change, where there is nothing left to change. */
  recordRepeat(tx: Db): Promise<void>
}

/** What a rotation did; the times say when its steps end. */
export interface Rotation {
  readonly current: KeyDescription
  /** Undefined when no key signed before. */
  readonly previous: KeyDescription | undefined
  readonly next: KeyDescription | undefined
}
