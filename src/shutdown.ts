import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

export interface ShutdownOptions {
  /** How long new connections are still taken. */
  delayMs: number
  /** From now to the end, the delay included. */
  timeoutMs: number
}

/** What plugins need to end after the last answer: the database, above all. */
const MAX_RESERVE_MS = 2000

/**
 * Drains and closes: `/readyz` is 503 at once; after the delay no connection is accepted; what was read is answered;
 * clients that still hold a connection shortly before the end lose it. Resolves in `timeoutMs` at the latest, to
 * whether everything was closed by then. Never rejects.
 */
export async function shutdown(app: FastifyInstance, { delayMs, timeoutMs }: ShutdownOptions): Promise<boolean> {
  const reserveMs = Math.min(MAX_RESERVE_MS, (timeoutMs - delayMs) / 2)
  const cut = setTimeout(() => app.server.closeAllConnections(), timeoutMs - reserveMs)
  const late = sleep(timeoutMs - Math.min(200, reserveMs / 2), false, { ref: false })
  app.health.stop()
  return Promise.race([drain(app, delayMs), late]).finally(() => clearTimeout(cut))
}

async function drain(app: FastifyInstance, delayMs: number): Promise<boolean> {
  try {
    await sleep(delayMs)
    await app.close()
    return true
  } catch (error) {
    app.log.error({ error }, 'closing failed')
    return false
  }
}
