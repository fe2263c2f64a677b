import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const LINGER_MS = 1000

/**
 * Ends our side after the last answer and goes on reading for a moment. A socket that is closed with unread bytes in it sends a
 * reset, and a reset makes the peer drop the answer that it has not read yet.
 */
export function endLingering(socket: Socket, lastWords = ''): void {
  socket.end(lastWords)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}

/**
 * Call before the head of an answer is written. When a body was not read whole and may be long, the connection ends
 * with this answer, so that nobody can have a rest of any length read and thrown away. Returns true if it does.
 */
export function endsWithUnreadBody(raw: IncomingMessage, response: ServerResponse, bodyLimit: number): boolean {
  if (raw.complete || !raw.socket.writable) return false
  const { 'content-length': length, 'transfer-encoding': coding } = raw.headers
  if (coding === undefined && Number(length ?? 0) <= bodyLimit) return false
  const { socket } = raw
  // Node calls this once the answer to a `Connection: close` is written.
  socket.destroySoon = () => endLingering(socket)
  response.once('finish', () => raw.resume())
  return true
}
