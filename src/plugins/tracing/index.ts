import fp from 'fastify-plugin'

interface TracingOptions {
  /** Undefined: nothing is traced, and nothing of OpenTelemetry is loaded. */
  otlpEndpoint: string | undefined
  /** Of the requests that nobody before us has decided about, from 0 to 1. */
  tracesShare: number
}

/** Traces of requests, sent by OTLP. It stands first in the list: it can follow only what is registered after it. */
export default fp<TracingOptions>(
  async (app, { otlpEndpoint, tracesShare }) => {
    if (otlpEndpoint === undefined) return
    const { startTracing } = await import('./start.js')
    await startTracing(app, { endpoint: otlpEndpoint, share: tracesShare })
  },
  { name: 'tracing' }
)
