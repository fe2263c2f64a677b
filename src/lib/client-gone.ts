import type { ServerResponse } from 'node:http'

/**
 * Aborts when the connection closes before the answer was written. Not `request.signal`: an IncomingMessage
 * emits `close` as soon as its body was read, while the client still waits.
 */
export function clientGone(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
