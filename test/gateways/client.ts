import { Agent, type IncomingMessage, request } from 'node:http'

export const GATEWAY = 8080

export interface Asked {
  method?: string
  /** Sent as it is. */
  path: string
  token?: string
  /** Names and values; a name may come twice. */
  headers?: [name: string, value: string][]
  body?: string | Buffer
  /** A loopback address of its own is a client of its own. */
  from?: string
  port?: number
  agent?: Agent
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
  /** biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape that it expects */
  json: any
}

const LONGEST_MS = 20_000

/** One request on a connection of its own, unless an agent keeps one. Rejects when there is no whole answer. */
export function ask({
  method = 'GET',
  path,
  token,
  headers = [],
  body,
  from,
  port = GATEWAY,
  agent
}: Asked): Promise<Answer> {
  const all = [['Host', `localhost:${port}`], ...headers]
  if (token !== undefined) all.push(['Authorization', `Bearer ${token}`])
  if (agent === undefined) all.push(['Connection', 'close'])
  const isChunked = headers.some(([name]) => name.toLowerCase() === 'transfer-encoding')
  const isEmpty = body === undefined && ['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(method)
  if (!isEmpty && !isChunked) all.push(['Content-Length', String(Buffer.byteLength(body ?? ''))])
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: all.flat(),
        agent: agent ?? false,
        localAddress: from ?? '127.0.0.1'
      },
      (answer) => collect(answer).then(resolve, reject)
    )
    sent.setTimeout(LONGEST_MS, () => sent.destroy(new Error(`no answer to ${method} ${path}`)))
    sent.on('error', reject)
    sent.end(body)
  })
}

async function collect(answer: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  const body = Buffer.concat(chunks).toString('utf8')
  const json = /json/.test(answer.headers['content-type'] ?? '') && body !== '' ? JSON.parse(body) : undefined
  return { status: answer.statusCode ?? 0, headers: answer.headers, body, json }
}

export const json: [string, string] = ['Content-Type', 'application/json']

/** A connection that is kept. */
export function keptConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 })
}

let clients = 0

/** A loopback address that no other client of this run has. */
export function newAddress(): string {
  clients += 1
  return `127.0.${1 + Math.floor(clients / 250)}.${1 + (clients % 250)}`
}
