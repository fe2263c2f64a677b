import type { Socket } from 'node:net'
import type { DatabaseTarget } from '../../lib/database-url.js'
import { dial } from './dial.js'
import { Link } from './link.js'

export interface Deadlines {
  connectMs: number
  deadlineMs: number
}

/** Makes the connections of one database, and knows which of its hosts answered last. */
export class Dialer {
  readonly #target: DatabaseTarget
  readonly #links = new Set<Link>()
  #preferred = 0
  #closed = false

  constructor(target: DatabaseTarget) {
    this.#target = target
  }

  /** A stream that is connecting already; never throws, since postgres.js would lose the place in its pool for good. */
  link({ connectMs, deadlineMs }: Deadlines): Link {
    const { hosts, connectTimeoutMs = connectMs } = this.#target
    const withinMs = Math.min(connectMs, connectTimeoutMs)
    let host = this.#preferred
    const link = new Link({
      connectMs: withinMs,
      deadlineMs,
      open: async (track) => {
        const reached = await this.#openFirst(link, track, withinMs / hosts.length)
        host = reached.host
        return reached.socket
      },
      accept: (parameters) => this.#accept(host, parameters)
    })
    this.#links.add(link)
    link.once('close', () => this.#links.delete(link))
    // postgres.js may have put off an attempt until after its end.
    if (this.#closed) link.abort()
    return link
  }

  /** Ends every connection now; none is made any more. */
  close(): void {
    this.#closed = true
    for (const link of this.#links) link.abort()
  }

  async #openFirst(link: Link, track: (socket: Socket) => void, eachMs: number) {
    const { hosts, tls } = this.#target
    let failure: unknown
    for (let step = 0; step < hosts.length && !link.destroyed; step++) {
      const host = (this.#preferred + step) % hosts.length
      try {
        const socket = await within(eachMs, track, (limited) => dial(hosts[host] as (typeof hosts)[0], tls, limited))
        this.#preferred = host
        return { socket, host }
      } catch (error) {
        failure = error
      }
    }
    throw failure ?? new Error('the connection was given up')
  }

  /** A standby takes no writes: the next attempt goes to the next host. */
  #accept(host: number, parameters: ReadonlyMap<string, string>): void {
    if (this.#target.acceptStandby || parameters.get('in_hot_standby') !== 'on') return
    this.#preferred = (host + 1) % this.#target.hosts.length
    throw Object.assign(new Error('the server is a standby, which takes no writes'), { code: '25006' })
  }
}

/** One host that swallows packets must not use up the time of the others. */
async function within<T>(
  ms: number,
  track: (socket: Socket) => void,
  attempt: (track: (socket: Socket) => void) => Promise<T>
): Promise<T> {
  let last: Socket | undefined
  const timer = setTimeout(() => {
    last?.destroy(Object.assign(new Error('the server could not be reached in time'), { code: 'ETIMEDOUT' }))
  }, ms)
  try {
    return await attempt((socket) => {
      last = socket
      track(socket)
    })
  } finally {
    clearTimeout(timer)
  }
}
