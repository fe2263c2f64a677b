import type { AddressInfo } from 'node:net'
import closeWithGrace from 'close-with-grace'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { buildApp } from './app.js'
import type { Config } from './config.js'
import { fittingIssuer } from './settings/issuer-port.js'
import { shutdown } from './shutdown.js'

export interface ServeOptions {
  logger: FastifyBaseLogger
  /** A person reads the log: the start is told in a few lines. */
  terminal?: boolean
}

/** npm passes on a signal that the terminal or `kill` has already sent to the whole group: the two are one. */
const SAME_SIGNAL_MS = 100

/**
 * Runs the service until it is told to stop, and then ends the process: with 0 after a signal, with 1 after an error
 * that nobody caught. Listens at once, also without its database. Rejects when it cannot be built or cannot listen;
 * then nothing of it is left running.
 */
export async function serve(config: Config, { logger, terminal = false }: ServeOptions): Promise<FastifyInstance> {
  const app = await buildApp({ config, logger })
  endGracefully(app, config)
  try {
    await app.listen({
      host: config.host,
      port: config.port,
      listenTextResolver: (address) => `listening at ${address}`
    })
  } catch (error) {
    await app.close()
    throw error
  }
  warnOfOtherPort(app, config)
  announceWhenReady(app, terminal)
  return app
}

function endGracefully(app: FastifyInstance, { shutdownDelayMs, shutdownTimeoutMs }: Config): void {
  // Without a delay of its own: an end that had to cut connections is an orderly one, too.
  const { close } = closeWithGrace({ delay: false, logger: app.log, skip: ['SIGINT', 'SIGTERM'] }, async ({ err }) => {
    if (err) app.log.fatal({ error: err }, 'an error that nobody caught')
    app.log.info('stopping')
    const closed = await shutdown(app, { delayMs: shutdownDelayMs, timeoutMs: shutdownTimeoutMs })
    app.log.info({ closed }, 'stopped')
  })
  const onSignal = endOnSecondSignal(app, close)
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
}

function endOnSecondSignal(app: FastifyInstance, stop: () => void): (signal: string) => void {
  let firstAt = Number.POSITIVE_INFINITY
  return (signal) => {
    if (!app.health.stopping()) {
      firstAt = performance.now()
      stop()
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
      app.log.error({ signal }, 'a second signal; ending at once')
      process.exit(1)
    }
  }
}

function warnOfOtherPort(app: FastifyInstance, { issuer }: Config): void {
  const { port } = app.server.address() as AddressInfo
  const fitting = fittingIssuer(issuer, port)
  if (fitting === undefined) return
  app.log.warn(
    { issuer, port, fitting },
    'tokens and links name ISSUER, whose port is another than this one: set ISSUER'
  )
}

/** An address that a client on this machine can use. */
function localUrl(app: FastifyInstance): string {
  const { address, port } = app.server.address() as AddressInfo
  const host = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[address] ?? (address.includes(':') ? `[${address}]` : address)
  return `http://${host}:${port}`
}

function announceWhenReady(app: FastifyInstance, terminal: boolean): void {
  const url = localUrl(app)
  const timer = setInterval(() => {
    if (app.health.stopping()) clearInterval(timer)
    if (app.database.state() !== 'ready') return
    clearInterval(timer)
    const database = app.database.describe()
    const key = app.keys.describe()
    const curl = `curl ${url}/auth/settings`
    if (terminal)
      app.log.info(`ready\n  listening  ${url}\n  database   ${database}\n  key        ${key}\n  try        ${curl}`)
    else app.log.info({ url, database, key, curl }, 'ready')
  }, 50)
  timer.unref()
}
