/** Where a page of events ends: the next one begins with what is older. */
export interface EventPosition {
  createdAt: Date
  id: string
}

/** 24 bytes (milliseconds, then the id) are exactly 32 characters of base64url, so there is one spelling of each. */
export const CURSOR_PATTERN = '^[A-Za-z0-9_-]{32}$'
const FORM = new RegExp(CURSOR_PATTERN)

/** The last moment of the year 9999: what is later PostgreSQL and JavaScript write in two ways. */
const MAX_TIME_MS = 253_402_300_799_999n

/** Opaque to clients. It only says where to go on: whose events these are is decided by the token each time. */
export function encodeCursor({ createdAt, id }: EventPosition): string {
  const bytes = Buffer.alloc(24)
  bytes.writeBigUInt64BE(BigInt(createdAt.getTime()))
  bytes.write(id.replaceAll('-', ''), 8, 'hex')
  return bytes.toString('base64url')
}

/** Undefined for what `encodeCursor` cannot have made. */
export function decodeCursor(cursor: string): EventPosition | undefined {
  if (!FORM.test(cursor)) return undefined
  const bytes = Buffer.from(cursor, 'base64url')
  const time = bytes.readBigUInt64BE()
  if (time > MAX_TIME_MS) return undefined
  const id = bytes.toString('hex', 8).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return { createdAt: new Date(Number(time)), id }
}
