import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { version } from '../../../lib/version.js'

const PATIENCE_MS = 15_000
/** Whatever is longer is no answer of ours. */
const MOST_BYTES = 1_000_000

export interface Answer {
  /** 0 when none came. */
  status: number
  headers: IncomingHttpHeaders
  /** The reason, where none came. */
  text: string
  /** Undefined unless it is a JSON object. */
  json: Record<string, unknown> | undefined
  /** Of the connection: our own address and the other end's. */
  local: string | undefined
  remote: string | undefined
}

export interface Question {
  method?: string
  headers?: Record<string, string>
  body?: object
  token?: string
  /** The address to ask from. */
  from?: string | undefined
}

/** Asks for exactly this path, which is sent as it is. Follows no redirect, never rejects but when it is told to end. */
export type Ask = (path: string, question?: Question) => Promise<Answer>

/** fetch would resolve dot segments and repeat no header, and tells nothing about its connection. */
export function createAsk(base: string, signal: AbortSignal): Ask {
  const { protocol, hostname, port, pathname } = new URL(base)
  const request = protocol === 'https:' ? requestHttps : requestHttp
  const prefix = pathname.replace(/\/+$/, '')

  return async (path, { method = 'GET', headers = {}, body, token, from } = {}) => {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const options = {
      host: hostname.replace(/^\[|\]$/g, ''),
      ...(port !== '' && { port }),
      path: `${prefix}${path}`,
      method,
      agent: false as const,
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
      ...(from !== undefined && { localAddress: from }),
      headers: {
        'user-agent': `postern-doctor/${version}`,
        ...(payload !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload)
        }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers
      }
    }
    const answer = await new Promise<Answer>((resolve) => {
      const sent = request(options, (response) => {
        const { localAddress: local, remoteAddress: remote } = response.socket
        read(response).then((text) => {
          const { statusCode: status = 0, headers } = response
          resolve({ status, headers, text, json: parse(text), local, remote })
        })
      })
      sent.on('error', ({ message, code }: NodeJS.ErrnoException) => resolve(none(message || String(code))))
      sent.end(payload)
    })
    signal.throwIfAborted()
    return answer
  }
}

function none(reason: string): Answer {
  return { status: 0, headers: {}, text: reason, json: undefined, local: undefined, remote: undefined }
}

/** As far as it comes. */
async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response) {
      chunks.push(chunk as Buffer)
      bytes += (chunk as Buffer).length
      if (bytes > MOST_BYTES) break
    }
  } catch {
    // Cut off: what has come is judged.
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Whether Postern itself refused with this code, whatever was made of the rest on the way. */
export function isRefusal({ json }: Answer, ...codes: string[]): boolean {
  return typeof json?.request_id === 'string' && codes.includes(String(json.code))
}
