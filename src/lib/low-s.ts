/** The order of P-256 (SEC 2, 2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const HALF = ORDER / 2n
const SCALAR_BYTES = 32

const scalarOf = (signature: Buffer): bigint => BigInt(`0x${signature.subarray(SCALAR_BYTES).toString('hex')}`)

/**
 * ECDSA has two signatures for whatever is signed, (r, s) and (r, n − s), and anybody makes the one from the other. Of
 * them this is the one with the smaller s. `signature` is r and s as RFC 7518, 3.4 writes them, for P-256.
 */
export function withLowS(signature: Buffer): Buffer {
  if (hasLowS(signature)) return signature
  const s = (ORDER - scalarOf(signature)).toString(16).padStart(2 * SCALAR_BYTES, '0')
  return Buffer.concat([signature.subarray(0, SCALAR_BYTES), Buffer.from(s, 'hex')])
}

/** False for the other one, and for what is no such signature by its length. */
export function hasLowS(signature: Buffer): boolean {
  return signature.length === 2 * SCALAR_BYTES && scalarOf(signature) <= HALF
}
