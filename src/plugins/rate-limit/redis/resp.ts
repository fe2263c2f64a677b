/** An answer that begins with `-`. */
export class ErrorReply {
  /** The first word, as READONLY; ERR where it is no code. The rest is not kept: it may repeat what was sent, a password too. */
  readonly code: string

  constructor(text: string) {
    this.code = /^[A-Z]{3,20}(?= |$)/.exec(text)?.[0] ?? 'ERR'
  }
}

export type Reply = string | number | null | ErrorReply | Reply[]

/** What the server sends is not the protocol; there is no way to tell where the next answer begins. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/** An answer of ours has some 60 bytes, an error of the server's some 200. */
const MAX_BYTES = 16_384
const MAX_DEPTH = 4

export function encodeCommand(parts: readonly (string | number)[]): string {
  const bulks = parts.map((part) => {
    const text = String(part)
    return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
  })
  return `*${parts.length}\r\n${bulks.join('')}`
}

interface Parsed {
  reply: Reply
  /** Where the next one begins. */
  end: number
}

/** Reads the answers of RESP2, wherever the network has cut them. */
export class ReplyReader {
  #bytes = Buffer.alloc(0)

  /** The answers that are complete now. Throws ProtocolError. */
  push(chunk: Buffer): Reply[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    const replies: Reply[] = []
    let start = 0
    for (let parsed = this.#parse(start); parsed !== undefined; parsed = this.#parse(start)) {
      replies.push(parsed.reply)
      start = parsed.end
    }
    this.#bytes = this.#bytes.subarray(start)
    if (this.#bytes.length > MAX_BYTES) throw new ProtocolError('an answer is too long')
    return replies
  }

  #parse(start: number, depth = 0): Parsed | undefined {
    if (start >= this.#bytes.length) return undefined
    const type = String.fromCharCode(this.#bytes[start] as number)
    // Before its line is whole: what speaks another protocol may never end one.
    if (!'+-:$*'.includes(type) || depth > MAX_DEPTH) throw new ProtocolError('this is no answer of Redis')
    const lineEnd = this.#bytes.indexOf('\r\n', start)
    if (lineEnd === -1) return undefined
    const line = this.#bytes.toString('utf8', start + 1, lineEnd)
    const end = lineEnd + 2
    if (type === '+') return { reply: line, end }
    if (type === '-') return { reply: new ErrorReply(line), end }
    const number = readInteger(line)
    if (type === ':') return { reply: number, end }
    if (number === -1) return { reply: null, end }
    if (number < 0 || number > MAX_BYTES) throw new ProtocolError('an answer has an impossible length')
    return type === '$' ? this.#text(end, number) : this.#list(end, number, depth)
  }

  #text(start: number, length: number): Parsed | undefined {
    const end = start + length
    if (this.#bytes.length < end + 2) return undefined
    return { reply: this.#bytes.toString('utf8', start, end), end: end + 2 }
  }

  #list(start: number, length: number, depth: number): Parsed | undefined {
    const reply: Reply[] = []
    let end = start
    while (reply.length < length) {
      const parsed = this.#parse(end, depth + 1)
      if (parsed === undefined) return undefined
      reply.push(parsed.reply)
      end = parsed.end
    }
    return { reply, end }
  }
}

function readInteger(line: string): number {
  if (!/^-?\d{1,15}$/.test(line)) throw new ProtocolError('an answer has a number that is none')
  return Number(line)
}
