import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type ApiError, type FieldFault, unavailable } from '../../errors.js'
import { describeError } from '../../lib/describe-error.js'
import { sharedSchemas } from '../../schemas.js'
import { problemAnswer } from './problem.js'
import { toApiError } from './translate.js'
import { unrouted } from './unrouted.js'

/** Rejects when the refusal could not be recorded: the answer is then `unavailable`. */
export type RefusalListener = (error: ApiError, request: FastifyRequest) => Promise<void>

export interface Errors {
  /** Listeners are awaited, in the order of their registration, before the answer leaves. */
  onRefusal(listener: RefusalListener): void
  /** 405 with `Allow`, or 404, for a request that no route takes. */
  unrouted(request: FastifyRequest): ApiError
}

declare module 'fastify' {
  interface FastifyInstance {
    errors: Errors
  }
  interface FastifyContextConfig {
    /** A 400, 413 or 415 on this route is an event of this type. */
    event?: 'signup' | 'login' | 'refresh'
    /** Faults of the values in a body whose form is refused, so that all faults are told at once. */
    faults?: (body: unknown) => FieldFault[]
  }
}

/** A success may have set these before it failed; an error is not what they describe. */
const HEADERS_OF_A_SUCCESS = ['etag', 'last-modified', 'location', 'content-encoding']

async function errors(app: FastifyInstance, { issuer }: { issuer: string }): Promise<void> {
  const listeners: RefusalListener[] = []

  async function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const refusal = await announce(toApiError(error, request), request, listeners)
    const { status, headers, body } = problemAnswer(refusal, issuer, request.id)
    for (const name of HEADERS_OF_A_SUCCESS) reply.removeHeader(name)
    return reply.code(status).header('cache-control', 'no-store').headers(headers).send(body)
  }

  for (const schema of sharedSchemas) app.addSchema(schema)
  app.decorate('errors', {
    onRefusal: (listener) => listeners.push(listener),
    unrouted: ({ method, raw }) => unrouted(app, method, raw.url ?? '/')
  } satisfies Errors)
  app.setErrorHandler(refuse)
  app.setNotFoundHandler(async (request) => {
    throw app.errors.unrouted(request)
  })
}

/** Fails closed: a refusal that cannot be recorded is answered as 503. */
async function announce(refusal: ApiError, request: FastifyRequest, listeners: RefusalListener[]): Promise<ApiError> {
  log(refusal, request)
  try {
    for (const listener of listeners) await listener(refusal, request)
    return refusal
  } catch (failure) {
    request.log.error({ error: describeError(failure) }, 'a refusal could not be recorded')
    return unavailable(failure)
  }
}

function log({ code, status, cause }: ApiError, request: FastifyRequest): void {
  if (code === 'internal_error') request.log.error({ error: describeError(cause) }, 'internal error')
  else if (status >= 500) request.log.warn({ code, error: cause && describeError(cause) }, 'not possible at the moment')
}

/** One body shape for every error, whatever its origin; the shared schemas that routes refer to. */
export default fp(errors, { name: 'errors' })
