import { createServer, STATUS_CODES } from 'node:http'
import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import type { ApiError } from './errors.js'
import { requestIdOf } from './lib/request-id.js'
import { SECURITY_HEADERS } from './lib/security-headers.js'
import { trustedProxies } from './lib/trusted-proxies.js'
import { systemClock } from './plugins/clock.js'
import { problemAnswer } from './plugins/errors/problem.js'
import { toApiError } from './plugins/errors/translate.js'
import { answerParserErrors, type RawAnswer } from './plugins/http/client-error.js'
import { RequestLog } from './plugins/logger.js'

/** What a connection may cost. A test passes shorter ones. */
export const HTTP_LIMITS = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  keepAliveTimeoutMs: 75_000,
  /** How much later than its time a slow request may be noticed. */
  checkIntervalMs: 1000,
  headerBytes: 16_384,
  bodyBytes: 16_384
}

export type HttpLimits = typeof HTTP_LIMITS

interface HttpSettings {
  issuer: string
  trustProxy: readonly string[]
}

/** The options of the Fastify instance: the parser's limits, the router's strictness, and their answers as problem+json. */
export function httpOptions(
  { issuer, trustProxy }: HttpSettings,
  logger?: FastifyBaseLogger,
  limits: HttpLimits = HTTP_LIMITS
): FastifyServerOptions {
  const isTrusted = trustedProxies(trustProxy)
  return {
    ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
    logController: new RequestLog(),
    serverFactory: (handler) =>
      limitedServer(handler, limits, (error) => {
        logger?.debug({ code: error.code }, 'refused before it was a request')
        return rawAnswer(error, issuer)
      }),
    // The server above answers them already; without this, Fastify's own answer would come after ours.
    clientErrorHandler: () => undefined,
    bodyLimit: limits.bodyBytes,
    // Fastify's answer while closing is not problem+json; a request that was read is answered as always.
    return503OnClosing: false,
    trustProxy: (address) => isTrusted(address),
    genReqId: requestIdOf,
    rewriteUrl: ({ url = '/' }) => routedUrl(url),
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      ignoreDuplicateSlashes: false,
      // No shorter than a header can be: a parameter's length is judged by the route, after its access rule.
      maxParamLength: limits.headerBytes
    },
    frameworkErrors: (error, request, reply) => answerFrameworkError(error, request, reply, issuer),
    ajv: {
      // Refuse, do not repair. Inputs are bounded, so that listing every fault costs little.
      customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true }
    }
  }
}

/** What follows is the path of somebody else's API, asked about by a gateway. */
const FORWARDED = '/auth/verify/'

/**
 * What the router sees. `OPTIONS *` asks about the server as a whole (RFC 9112, section 3.2.4): there is nothing to say. A
 * forwarded path may be encoded in a way that the router would refuse before anybody looked at the token; it is for its route to judge.
 */
function routedUrl(url: string): string {
  if (url === '*') return '/*'
  return url.startsWith(FORWARDED) ? url.replaceAll('%', '_') : url
}

function limitedServer(handler: Parameters<typeof createServer>[1], limits: HttpLimits, answer: RawAnswer) {
  const options = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    maxHeaderSize: limits.headerBytes,
    // Node would refuse by itself, in its own words; plugins/http does it.
    requireHostHeader: false
  }
  const server = createServer(options, handler)
  // Node drops what is above its count silently, an Authorization header too. The size is bounded anyway.
  server.maxHeadersCount = 0
  server.on('checkContinue', (request, response) => {
    if (Number(request.headers['content-length'] ?? 0) <= limits.bodyBytes) response.writeContinue()
    server.emit('request', request, response)
  })
  // An expectation that we do not know may be ignored (RFC 9110, section 10.1.1).
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
  answerParserErrors(server, answer)
  return server
}

/** A whole HTTP/1.1 answer, for a connection that has no request to answer. */
function rawAnswer(error: ApiError, issuer: string): string {
  const requestId = requestIdOf({ headers: {} })
  const { status, headers, body } = problemAnswer(error, issuer, requestId)
  const all = {
    date: new Date(systemClock.now()).toUTCString(),
    ...SECURITY_HEADERS,
    'x-request-id': requestId,
    ...headers,
    'content-length': Buffer.byteLength(body),
    connection: 'close'
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n')
}

/** The router refuses a broken URL before any hook runs, so that the headers must be put on here. */
function answerFrameworkError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, issuer: string): void {
  const { status, headers, body } = problemAnswer(toApiError(error, request), issuer, request.id)
  reply
    .code(status)
    .headers({ ...SECURITY_HEADERS, 'x-request-id': request.id, ...headers })
    .send(body)
}
