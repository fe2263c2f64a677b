import { type Attributes, SpanStatusCode } from '@opentelemetry/api'
import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { FastifyBaseLogger } from 'fastify'
import { describeError } from '../../lib/describe-error.js'

/** What is sent of a span. Not `url.path`: the library puts the whole URL there, with its ids and its query. */
const ATTRIBUTES: ReadonlySet<string> = new Set([
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'postern.request_id',
  'fastify.root',
  'fastify.type',
  'hook.name'
])

/**
 * The message of an error may hold the parameters of a statement, and so may an event of the span. A refusal is no error
 * of a server (OpenTelemetry's conventions for HTTP spans), though it is thrown here.
 */
function harmless(span: ReadableSpan): ReadableSpan {
  const attributes: Attributes = Object.fromEntries(
    Object.entries(span.attributes).filter(([name]) => ATTRIBUTES.has(name))
  )
  const failed = Number(attributes['http.response.status_code']) >= 500
  return Object.create(span, {
    attributes: { value: attributes },
    events: { value: [] },
    status: { value: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET } }
  })
}

/** Sends only what is known to be harmless. Says once when the collector cannot be reached, and once when it can again. */
export class HarmlessExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #log: FastifyBaseLogger
  #failing = false

  constructor(exporter: SpanExporter, log: FastifyBaseLogger) {
    this.#exporter = exporter
    this.#log = log
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans.map(harmless), (result) => {
      this.#report(result)
      done(result)
    })
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.()
  }

  async shutdown(): Promise<void> {
    await this.#exporter.shutdown()
  }

  #report({ code, error }: ExportResult): void {
    const failed = code !== ExportResultCode.SUCCESS
    if (failed && !this.#failing) {
      this.#log.warn({ error: error && describeError(error) }, 'traces cannot be sent, and are lost until they can')
    }
    if (!failed && this.#failing) this.#log.info('traces are sent again')
    this.#failing = failed
  }
}
