import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { ApiError, type ErrorCode } from '../../errors.js'
import { endLingering } from './connection.js'

const CODES: Record<string, ErrorCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large'
}

/** The newest exchange of a connection; pipelined answers leave in order, so it ends last. */
const newest = new WeakMap<Socket, ServerResponse>()
/** Connections that had their last word: the parser complains again about each packet that still comes. */
const finished = new WeakSet<Socket>()
const broken = new WeakMap<IncomingMessage, ApiError>()

/** Makes the answer, byte for byte, to a request that never became one. */
export type RawAnswer = (error: ApiError) => string

/**
 * Answers what Node's HTTP parser refuses, and requests that do not arrive in time, on this server. A request whose
 * head has been read is answered by its own route, with all that hangs on it; an answer under way is never written into.
 */
export function answerParserErrors(server: Server, answer: RawAnswer): void {
  server.on('request', (request, response) => newest.set(request.socket, response))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (finished.has(socket)) return
    finished.add(socket)
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else refuse(socket, refusalOf(error), answer)
  })
  // A CONNECT is for a proxy. Without a listener Node closes the connection without a word.
  server.on('connect', (_request, socket: Socket) => {
    finished.add(socket)
    endLingering(socket, answer(new ApiError('malformed_http')))
  })
}

/** Throws what the parser found wrong with this request's body before anybody began to read it. */
export function refuseBrokenRequest(raw: IncomingMessage): void {
  const error = broken.get(raw)
  if (error !== undefined) throw error
}

function refusalOf({ code = '' }: NodeJS.ErrnoException): ApiError {
  return new ApiError(CODES[code] ?? 'malformed_http', { headers: { connection: 'close' } })
}

function refuse(socket: Socket, error: ApiError, answer: RawAnswer): void {
  const response = newest.get(socket)
  // What is at fault comes after a whole request, or is the rest of one, which may have been answered already.
  const isRest = response !== undefined && !response.req.complete
  const end = () => endLingering(socket, isRest ? '' : answer(error))
  if (response === undefined || response.writableFinished) end()
  else response.once('finish', end)
  if (isRest) breakOff(response.req, error)
}

/** Whoever reads the body learns it at once; else the request is refused when its turn to be read comes. */
function breakOff(request: IncomingMessage, error: ApiError): void {
  broken.set(request, error)
  request.socket.destroySoon = () => endLingering(request.socket)
  if (request.listenerCount('error') > 0) request.emit('error', error)
}
