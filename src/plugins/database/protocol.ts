/** What the server has said, as far as a {@link Link} needs to know. */
export interface ServerListener {
  /** `I` when idle, `T` in a transaction, `E` in a failed one. */
  readyForQuery(status: string): void
  parameter(name: string, value: string): void
}

const HEADER_BYTES = 5
const READY_FOR_QUERY = 0x5a
const PARAMETER_STATUS = 0x53

/** Follows the messages of a PostgreSQL server in a byte stream that may be cut anywhere. Keeps only what it must. */
export class ServerMessages {
  readonly #listener: ServerListener
  /** The beginning of a message whose rest has not come yet; only of the kinds that are read. */
  #held: Buffer = Buffer.alloc(0)
  /** Bytes of an uninteresting message that are still to come. */
  #skip = 0

  constructor(listener: ServerListener) {
    this.#listener = listener
  }

  push(chunk: Buffer): void {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    let at = this.#skip
    while (at + HEADER_BYTES <= bytes.length) {
      const kind = bytes[at] as number
      const end = at + 1 + bytes.readUInt32BE(at + 1)
      if (kind === READY_FOR_QUERY || kind === PARAMETER_STATUS) {
        if (end > bytes.length) break
        this.#read(kind, bytes.subarray(at + HEADER_BYTES, end))
      }
      at = end
    }
    this.#skip = Math.max(0, at - bytes.length)
    this.#held = at < bytes.length ? Buffer.from(bytes.subarray(at)) : Buffer.alloc(0)
  }

  #read(kind: number, body: Buffer): void {
    if (kind === READY_FOR_QUERY) {
      this.#listener.readyForQuery(body.toString('latin1'))
      return
    }
    const [name = '', value = ''] = body.toString('utf8').split('\0')
    this.#listener.parameter(name, value)
  }
}

const SYNC = 0x53
const QUERY = 0x51

/**
 * How many ReadyForQuery the server owes for a chunk of whole client messages, and whether messages follow the last of
 * them that will be owed one later.
 */
export function readyForQueryOwed(chunk: Buffer): { owed: number; more: boolean } {
  let owed = 0
  let more = false
  for (let at = 0; at + HEADER_BYTES <= chunk.length; at += 1 + chunk.readUInt32BE(at + 1)) {
    more = chunk[at] !== SYNC && chunk[at] !== QUERY
    if (!more) owed++
  }
  return { owed, more }
}
