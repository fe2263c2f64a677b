import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { RedisTarget } from '../../../lib/redis-url.js'
import { ErrorReply, encodeCommand, ProtocolError, type Reply, ReplyReader } from './resp.js'

/** Why Redis cannot be used: a word for the log and the operator, never what the server wrote. */
export class RedisFault extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(`Redis cannot be used: ${reason}`)
    this.name = 'RedisFault'
    this.reason = reason
  }
}

interface Call {
  name: string
  resolve(reply: Reply): void
  reject(fault: RedisFault): void
  timer: NodeJS.Timeout
}

const KEEP_ALIVE_MS = 30_000

/**
 * One connection, used until the first thing goes wrong. Nothing is queued before it stands, and nothing is sent
 * twice. A call that is not answered in time ends it: whose answer would come next is not known any more.
 */
export class Connection {
  readonly #socket: Socket
  readonly #reader = new ReplyReader()
  readonly #calls: Call[] = []
  readonly #onEnd: (fault: RedisFault) => void
  #ended: RedisFault | undefined

  private constructor(socket: Socket, onEnd: (fault: RedisFault) => void) {
    this.#socket = socket
    this.#onEnd = onEnd
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.end(new RedisFault(codeOf(error))))
    socket.on('close', () => this.end(new RedisFault('closed the connection')))
  }

  /** Connects, with TLS if the target says so. Rejects with RedisFault. `onEnd` is called once, whoever ends it. */
  static async open(target: RedisTarget, withinMs: number, onEnd: (fault: RedisFault) => void): Promise<Connection> {
    const { host, port, tls } = target
    const options = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }
    const socket = tls ? connectTls({ ...options, ...(isIP(host) === 0 && { servername: host }) }) : connect(options)
    await established(socket, tls ? 'secureConnect' : 'connect', withinMs)
    return new Connection(socket, onEnd)
  }

  /** Rejects with RedisFault: the server said no, or the connection has ended. `deadlineAt` is a time of `performance`. */
  call(parts: readonly [string, ...(string | number)[]], deadlineAt: number): Promise<Reply> {
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#onLate(call), Math.max(0, deadlineAt - performance.now()))
      const call = { name: parts[0], resolve, reject, timer }
      this.#calls.push(call)
      this.#socket.write(encodeCommand(parts))
    })
  }

  /** Ends it now; every call that waits is rejected, in the order of the calls. */
  end(fault: RedisFault): void {
    if (this.#ended) return
    this.#ended = fault
    this.#socket.destroy()
    this.#onEnd(fault)
    for (const { timer, reject } of this.#calls.splice(0)) {
      clearTimeout(timer)
      reject(fault)
    }
  }

  /** After a long pause of this process the answer may be there, unread: what is due is read first. */
  #onLate(call: Call): void {
    setImmediate(() => this.#calls.includes(call) && this.end(new RedisFault('did not answer in time')))
  }

  #receive(chunk: Buffer): void {
    try {
      for (const reply of this.#reader.push(chunk)) this.#answer(reply)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.end(new RedisFault('does not speak its protocol'))
    }
  }

  #answer(reply: Reply): void {
    const call = this.#calls.shift()
    if (call === undefined) throw new ProtocolError('an answer that nobody asked for')
    clearTimeout(call.timer)
    if (reply instanceof ErrorReply) call.reject(new RedisFault(`${call.name} answered ${reply.code}`))
    else call.resolve(reply)
  }
}

/** A socket that is not connected in time is destroyed, also while a name is looked up. */
function established(socket: Socket, event: string, withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      clearTimeout(timer)
      socket
        .off('error', onError)
        .off(event, onEvent)
        .on('error', () => undefined)
      socket.destroy()
      reject(new RedisFault(reason))
    }
    const onError = (error: Error) => fail(codeOf(error))
    const onEvent = () => {
      clearTimeout(timer)
      socket.off('error', onError)
      resolve()
    }
    const timer = setTimeout(() => fail('cannot be reached in time'), withinMs)
    socket.once(event, onEvent).once('error', onError)
  })
}

/** Node's and OpenSSL's codes, such as ECONNREFUSED and CERT_HAS_EXPIRED. */
function codeOf(error: Error): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : 'the connection failed'
}
