import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import { type DestinationStream, type LogFn, type Logger, pino, stdTimeFunctions } from 'pino'
import { describeError } from '../lib/describe-error.js'
import { printable } from '../lib/printable.js'

export interface LoggerOptions {
  level: string
  /** For a person at a terminal; ignored where pino-pretty, a development dependency, is not installed. */
  pretty?: boolean
  /** Standard output by default. */
  destination?: DestinationStream
}

/**
 * The log: one JSON object a line, times in UTC. Whatever is handed to it as `req`, `res`, `err` or `error` is reduced
 * to what is known to be harmless: no header, query, body, parameter of a statement or raw packet.
 */
export async function createLogger({ level, pretty = false, destination }: LoggerOptions): Promise<Logger> {
  const stream = destination ?? (pretty ? await prettyStream() : undefined)
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { req: describeRequest, res: describeReply, err: describeError, error: describeError },
    hooks: { logMethod: withoutErrorMessage, streamWrite: escapeRest }
  }
  return stream === undefined ? pino(options) : pino(options, stream)
}

async function prettyStream(): Promise<DestinationStream | undefined> {
  try {
    const { default: prettyPrint } = await import('pino-pretty')
    return prettyPrint({ sync: true, translateTime: 'SYS:HH:MM:ss', singleLine: true })
  } catch {
    return undefined
  }
}

/** Pino would take the message of an error for the line's own, parameters of a statement included. */
function withoutErrorMessage(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, message] = args as [unknown, unknown]
  const isError = first instanceof Error || (typeof first === 'object' && first !== null && 'err' in first)
  if (isError && message === undefined) method.apply(this, [first, 'an error'])
  else method.apply(this, args)
}

/** JSON leaves C1 controls, DEL and line separators as they are, and terminals obey some of them. */
function escapeRest(line: string): string {
  return line.replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function describeRequest(request: FastifyRequest) {
  return { method: request.method, path: pathOf(request) }
}

function describeReply(reply: { statusCode: number }) {
  return { status: reply.statusCode }
}

/** Long enough for any word of a path, and shorter than a token, which a wrong client puts into a path. */
const LONG_SEGMENT = /[^/]{33,}/g

/** The route's own pattern, so that no id stands in it; else the path without its query, and without what could be a token. */
function pathOf(request: FastifyRequest): string {
  const pattern = request.routeOptions?.url
  if (pattern !== undefined && !request.is404 && pattern !== '*') return pattern
  const [path = ''] = (request.raw?.url ?? '').split('?', 1)
  return printable(path.replace(LONG_SEGMENT, '…'))
}

/** One line for each request that was answered, and none before: what it says is known only then. */
export class RequestLog extends LogController {
  constructor() {
    super({ requestIdLogLabel: 'request_id' })
  }

  override incomingRequest(): void {}

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const line = {
      method: request.method,
      path: pathOf(request),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      // None yet where the router refused the URL itself.
      address: request.client?.address ?? request.ip
    }
    if (error) reply.log.warn({ ...line, error }, 'request broke off')
    else reply.log.info(line, 'request')
  }

  override routeNotFound(): void {}

  /** Fastify's own lines would repeat the message, which may hold the parameters of a statement. */
  override defaultErrorLog(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    reply.log.error({ error }, 'the error handler failed')
  }

  override writeHeadError(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    reply.log.error({ error }, 'the headers of an answer could not be written')
  }
}
