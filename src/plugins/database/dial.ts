import { readFileSync } from 'node:fs'
import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { TlsRules } from '../../lib/database-url.js'

/** SSLRequest of the PostgreSQL protocol: its length and its code. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const KEEP_ALIVE_MS = 30_000

/**
 * Opens a stream to a PostgreSQL server, with TLS as the rules say. `track` is told each socket at once, so that the
 * caller can end the attempt by destroying it.
 */
export async function dial(
  { host, port }: { host: string; port: number },
  rules: TlsRules,
  track: (socket: Socket) => void
): Promise<Socket> {
  const plain = await open(host, port, track)
  if (rules.mode === 'disable' || host.startsWith('/')) return plain
  if (!rules.direct && !(await offersTls(plain))) {
    if (rules.mode === 'prefer') return plain
    plain.destroy()
    throw Object.assign(new Error('the server does not offer TLS, which the database URL requires'), { code: 'NO_TLS' })
  }
  try {
    return await secure(plain, host, rules, track)
  } catch (error) {
    if (rules.mode !== 'prefer') throw error
    // As libpq: `prefer` promises nothing, and a server with broken TLS is reached without.
    return open(host, port, track)
  }
}

async function open(host: string, port: number, track: (socket: Socket) => void): Promise<Socket> {
  const socket = host.startsWith('/')
    ? connect({ path: `${host}/.s.PGSQL.${port}` })
    : connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS })
  track(socket)
  await settled(socket, 'connect')
  return socket
}

async function offersTls(socket: Socket): Promise<boolean> {
  socket.write(SSL_REQUEST)
  const answer = (await settled(socket, 'data')) as Buffer
  socket.pause()
  if (answer.length === 1 && answer[0] === 0x53) return true
  if (answer.length === 1 && answer[0] === 0x4e) return false
  // More than one byte is what somebody in between has put before the handshake (CVE-2021-23222).
  socket.destroy()
  throw Object.assign(new Error('the server answered the request for TLS with something else'), { code: 'NO_TLS' })
}

async function secure(plain: Socket, host: string, rules: TlsRules, track: (socket: Socket) => void): Promise<Socket> {
  const options: ConnectionOptions = {
    socket: plain,
    host,
    rejectUnauthorized: rules.verify !== 'none',
    ...(isIP(host) === 0 && { servername: host }),
    ...(rules.verify === 'ca' && { checkServerIdentity: () => undefined }),
    ...(rules.rootFile && { ca: readFileSync(rules.rootFile) }),
    ...(rules.certFile && { cert: readFileSync(rules.certFile) }),
    ...(rules.keyFile && { key: readFileSync(rules.keyFile) }),
    ...(rules.passphrase && { passphrase: rules.passphrase }),
    ...(rules.minVersion && { minVersion: rules.minVersion }),
    ...(rules.direct && { ALPNProtocols: ['postgresql'] })
  }
  const socket = connectTls(options)
  track(socket)
  await settled(socket, 'secureConnect')
  return socket
}

/** Like `events.once`, and rejects as well when the socket closes before the event. */
function settled(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose)
      settle()
    }
    const onEvent = (value: unknown) => done(() => resolve(value))
    const onError = (error: Error) => done(() => reject(error))
    const onClose = () =>
      done(() => reject(Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' })))
    socket.on(event, onEvent).on('error', onError).on('close', onClose)
  })
}
