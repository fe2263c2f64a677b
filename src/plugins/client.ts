import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Client } from '../events.js'
import { addressKey, clientAddress } from '../lib/ip-address.js'
import { trustedProxies } from '../lib/trusted-proxies.js'

/** What is known about forwarded headers that came from where nobody is trusted. */
export interface ClientTrust {
  /** True from the first such request on. */
  mistrusted(): boolean
  /** How many such requests there were. */
  count(): number
  /** One line for an operator: all is well, or what is wrong and which setting mends it. */
  describe(): string
}

declare module 'fastify' {
  interface FastifyInstance {
    clientTrust: ClientTrust
  }
  interface FastifyRequest {
    /** Who asks, by the rules of `TRUST_PROXY`. Computed at its first use. */
    readonly client: Client
  }
}

interface ClientOptions {
  /** Addresses, CIDR ranges, `loopback`, `private`. */
  trustProxy: readonly string[]
}

/** Only the first is ever read for the address: one source leaves nothing to disagree about. All four tell of a proxy. */
const FORWARDED_HEADERS = ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'x-real-ip']

function createTrust(warn: (text: string) => void) {
  let peer: string | undefined
  let count = 0

  function describe(): string {
    if (peer === undefined) return 'no forwarded headers from an untrusted peer'
    return (
      `forwarded headers come from ${peer}, which TRUST_PROXY does not name: they are ignored, and all clients behind ` +
      `that peer share one rate limit. If it is your gateway, set TRUST_PROXY=${peer}`
    )
  }

  return {
    trust: { mistrusted: () => peer !== undefined, count: () => count, describe } satisfies ClientTrust,
    note(address: string): void {
      count += 1
      if (peer !== undefined) return
      peer = address
      warn(describe())
    }
  }
}

async function client(app: FastifyInstance, { trustProxy }: ClientOptions): Promise<void> {
  const isTrusted = trustedProxies(trustProxy)
  const { trust, note } = createTrust((text) => app.log.warn(text))
  const clients = new WeakMap<FastifyRequest, Client>()

  function identify({ raw, headers, id }: FastifyRequest): Client {
    // Node joins repeated lines in their order, so that the right-most entry stays the nearest proxy's.
    const forwardedFor = headers['x-forwarded-for'] as string | undefined
    const address = clientAddress(raw.socket.remoteAddress, forwardedFor, isTrusted)
    return { address, addressKey: addressKey(address), userAgent: headers['user-agent'], requestId: id }
  }

  app.decorate('clientTrust', trust)
  app.decorateRequest('client', {
    getter(this: FastifyRequest) {
      const known = clients.get(this) ?? identify(this)
      clients.set(this, known)
      return known
    }
  })
  // A socket forgets its peer when it is reset, unless it was asked before. Without this, whoever resets the connection
  // at once would leave no address in the audit trail, and share one count with all who do so.
  app.server.on('connection', (socket) => void socket.remoteAddress)
  app.addHook('onRequest', async ({ headers, raw }) => {
    if (!FORWARDED_HEADERS.some((name) => headers[name] !== undefined)) return
    const peer = clientAddress(raw.socket.remoteAddress, undefined, isTrusted)
    if (!isTrusted(peer)) note(peer)
  })
}

/**
 * `request.client`: the socket's address, or behind a trusted proxy the right-most untrusted entry of
 * `X-Forwarded-For`. `Forwarded` and `X-Real-IP` are never read.
 */
export default fp(client, { name: 'client' })
