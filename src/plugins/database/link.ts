import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { readyForQueryOwed, ServerMessages } from './protocol.js'

const CLOSE_GRACE_MS = 1_000

export interface LinkOptions {
  /** Until the session has begun: connection, TLS and authentication together. */
  connectMs: number
  /** From the first byte of a statement, or of a transaction, until the server is idle again. */
  deadlineMs: number
  open(track: (socket: Socket) => void): Promise<Socket>
  /** Called before the session is used; what it throws ends the connection. */
  accept(parameters: ReadonlyMap<string, string>): void
}

/** The server did not answer in time; the connection is gone, for nobody knows what it would say next. */
class DeadlineError extends Error {
  readonly code = 'ETIMEDOUT'
}

/**
 * A connection to the server as postgres.js wants its sockets, which ends itself when the server is silent for too
 * long. postgres.js has no such limit, and a server that is stopped or cut off cannot keep its own.
 */
export class Link extends Duplex {
  readonly #options: LinkOptions
  readonly #parameters = new Map<string, string>()
  readonly #messages = new ServerMessages({
    readyForQuery: (status) => this.#onReady(status),
    parameter: (name, value) => this.#parameters.set(name, value)
  })
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #started = false
  #startupSent = false
  #owed = 0
  #unfinished = false

  constructor(options: LinkOptions) {
    super()
    this.#options = options
    // An error before postgres.js listens must not end the process; it sees the close.
    this.on('error', () => {})
    this.#arm(options.connectMs, 'the server did not begin the session in time')
  }

  /** postgres.js asks for it as of a net.Socket. */
  get readyState(): 'open' | 'closed' {
    return this.destroyed || this.writableEnded ? 'closed' : 'open'
  }

  /** Unlike destroy(), ends a connection that is still being made as well. */
  abort(error?: Error): void {
    this.#socket?.destroy(error)
    this.destroy(error)
  }

  override _construct(callback: (error?: Error | null) => void): void {
    const opened = this.#options.open((socket) => {
      this.#socket = socket
      socket.on('error', () => {})
      if (this.destroyed) socket.destroy()
    })
    opened.then((socket) => {
      socket.on('data', (chunk: Buffer) => this.#receive(chunk))
      socket.on('error', (error) => this.destroy(error))
      socket.on('close', () => this.#onClose())
      callback()
    }, callback)
  }

  override _read(): void {
    this.#socket?.resume()
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#onSend(chunk)
    this.#socket?.write(chunk, callback)
  }

  override _final(callback: () => void): void {
    this.#arm(CLOSE_GRACE_MS, 'the server did not close the connection')
    this.#socket?.end(callback)
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#socket?.destroy()
    callback(error)
  }

  #receive(chunk: Buffer): void {
    try {
      this.#messages.push(chunk)
    } catch (error) {
      this.destroy(error as Error)
      return
    }
    if (!this.push(chunk)) this.#socket?.pause()
  }

  /** Without an error postgres.js would connect again at once, for ever, for a server that lets nobody in. */
  #onClose(): void {
    const early = this.#started ? undefined : new Error('the server closed the connection before the session began')
    setImmediate(() => this.destroy(early && Object.assign(early, { code: 'ECONNRESET' })))
  }

  #onSend(chunk: Buffer): void {
    if (!this.#startupSent || !this.#started) {
      this.#startupSent = true
      return
    }
    const { owed, more } = readyForQueryOwed(chunk)
    this.#owed += owed
    this.#unfinished = more
    this.#timer ?? this.#arm(this.#options.deadlineMs, 'the server did not answer in time')
  }

  #onReady(status: string): void {
    if (!this.#started) {
      this.#options.accept(this.#parameters)
      this.#started = true
    } else {
      this.#owed--
    }
    // Inside a transaction the time goes on, so that one that is left open ends as well.
    if (status !== 'I' || this.#owed > 0 || this.#unfinished) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(ms: number, message: string): void {
    clearTimeout(this.#timer)
    const timer = setTimeout(() => {
      // After a long pause of this process the answer may be there, unread: what is due is read first.
      setImmediate(() => this.#timer === timer && this.abort(new DeadlineError(message)))
    }, ms)
    timer.unref()
    this.#timer = timer
  }
}
