import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

type Responses = Record<string, { content?: Record<string, unknown> } | undefined>

/** Throws for a route that does not say what it answers. */
export function requireResponses({ method, url, schema, config }: RouteOptions): void {
  if (config?.foreign) throw new Error(`${method} ${url} is ours, and has to declare what it answers`)
  const responses = Object.keys(Object(schema?.response))
  // Fastify would serialize by it, and the guard below could not tell what was meant.
  if (responses.includes('default')) throw new Error(`${method} ${url} has to name its statuses, not \`default\``)
  if (responses.length > 0) return
  throw new Error(`${method} ${url} does not declare schema.response`)
}

/** As Fastify finds it: the status itself, else its range. */
function declaration({ routeOptions }: FastifyRequest, status: number) {
  const responses = Object(routeOptions.schema?.response) as Responses
  const range = String(status).charAt(0)
  return responses[status] ?? responses[`${range}xx`] ?? responses[`${range}XX`]
}

function mediaType(reply: FastifyReply): string {
  const [type = ''] = String(reply.getHeader('content-type') ?? '').split(';')
  return type.trim().toLowerCase()
}

function undeclared({ method, routeOptions }: FastifyRequest, reply: FastifyReply): Error {
  const what = `${reply.statusCode} ${mediaType(reply)}`
  return new Error(`${method} ${routeOptions.url} answered ${what} without a response schema for it`)
}

function isEmpty(payload: unknown): boolean {
  return (
    payload === undefined || payload === null || payload === '' || (Buffer.isBuffer(payload) && payload.length === 0)
  )
}

/**
 * Nothing leaves without a schema. An object goes through the serializer of its status, which drops what is not declared; without
 * one Fastify would send it whole. Text, bytes and streams pass no serializer, so they need a declaration of their very
 * media type (`content: { 'text/csv': … }`). Otherwise the answer is a 500. Errors are exempt: the errors plugin makes them.
 */
export function guardAnswers(app: FastifyInstance): void {
  const serialized = new WeakMap<FastifyReply, number>()

  app.addHook('preSerialization', async (request, reply, payload) => {
    if (request.routeOptions.config.foreign) return payload
    const declared = declaration(request, reply.statusCode)
    const { content } = declared ?? {}
    const known = content === undefined ? declared : (content[mediaType(reply)] ?? content['*/*'])
    // A bare null comes by here too, and gives nothing away.
    if (known === undefined && payload !== null) throw undeclared(request, reply)
    serialized.set(reply, reply.statusCode)
    return payload
  })

  app.addHook('onSend', async (request, reply, payload) => {
    if (request.routeOptions.config.foreign) return payload
    const isProblem = reply.statusCode >= 400 && mediaType(reply) === 'application/problem+json'
    if (isEmpty(payload) || isProblem || serialized.get(reply) === reply.statusCode) return payload
    if (declaration(request, reply.statusCode)?.content?.[mediaType(reply)] !== undefined) return payload
    if (payload instanceof Readable) payload.destroy()
    throw undeclared(request, reply)
  })
}
