import { FastifyOtelInstrumentation } from '@fastify/otel'
import { context, propagation } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import type { FastifyInstance } from 'fastify'
import { version } from '../../lib/version.js'
import { HarmlessExporter } from './harmless.js'

interface TracingOptions {
  endpoint: string
  share: number
}

const EXPORT_TIMEOUT_MS = 3000
const FLUSH_AT_CLOSE_MS = 1000

/** Asked every few seconds by machines; their traces would bury those of people. */
const UNTRACED = new Set(['/livez', '/readyz', '/metrics'])

const pathOf = (url: string): string => url.split('?', 1)[0] ?? ''

/**
 * One span for each request and one for its handler. A gateway that sends `traceparent` decides whether a request is
 * traced, and its trace goes on here. A collector that is away costs nothing but the spans.
 */
export async function startTracing(app: FastifyInstance, options: TracingOptions): Promise<void> {
  const provider = createProvider(app, options)
  const instrumentation = new FastifyOtelInstrumentation({
    ignorePaths: ({ url }) => UNTRACED.has(pathOf(url)),
    instrumentHooks: false,
    recordExceptions: false,
    requestHook: (span, { id, method, routeOptions: { url } }) => {
      span.updateName(url === undefined ? method : `${method} ${url}`)
      span.setAttribute('postern.request_id', id)
    }
  })
  instrumentation.setTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  await app.register(instrumentation.plugin())
  app.addHook('onClose', async () => {
    await provider.forceFlush({ timeoutMillis: FLUSH_AT_CLOSE_MS }).catch(() => {})
    // Not awaited: it waits for an export that may hang.
    void provider.shutdown().catch(() => {})
    context.disable()
    propagation.disable()
  })
}

function createProvider(app: FastifyInstance, { endpoint, share }: TracingOptions): TracerProvider {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS })
  const defaults = resourceFromAttributes({ 'service.name': 'postern', 'service.version': version })
  return new TracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, as everywhere.
    resource: defaults.merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new HarmlessExporter(exporter, app.log),
        exportTimeoutMillis: EXPORT_TIMEOUT_MS
      })
    ]
  })
}
