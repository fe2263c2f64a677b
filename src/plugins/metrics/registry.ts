import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { type MetricDefinition, seriesOf } from './definition.js'
import {
  type CounterName,
  type HistogramName,
  type LabelsOf,
  METRICS,
  type MetricName,
  type ReadableName
} from './table.js'

type Labels = Record<string, string>
type Metric = Counter | Gauge | Histogram

/** Says what one series has at this moment; of a counter, its total since the start of the process. */
export type SetValue<Name extends ReadableName> = (value: number, labels?: LabelsOf<Name>) => void

export interface Metrics {
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>): void
  /** In seconds. */
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, seconds: number): void
  /** `read` is called whenever the metrics are asked for. While it throws or rejects, the metric has no series. */
  source<Name extends ReadableName>(name: Name, read: (set: SetValue<Name>) => void | Promise<void>): void
  /** The text exposition format of Prometheus, version 0.0.4. */
  text(): Promise<string>
  readonly contentType: string
}

/** The metrics of one service. prom-client's global registry would be shared by every instance in a process. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const metrics = new Map<MetricName, Metric>()
  const sources: (() => Promise<void>)[] = []

  for (const [name, definition] of Object.entries<MetricDefinition>(METRICS)) {
    metrics.set(name as MetricName, createMetric(registry, name, definition))
  }
  const counter = (name: CounterName) => metrics.get(name) as Counter
  const histogram = (name: HistogramName) => metrics.get(name) as Histogram

  return {
    count: (name, labels) => counter(name).inc(labels),
    observe: (name, labels, seconds) => histogram(name).observe(labels, seconds),
    source(name, read) {
      const metric = metrics.get(name) as Counter | Gauge
      const set = metric instanceof Counter ? advance(metric) : replace(metric)
      sources.push(async () => {
        try {
          await read(set as SetValue<typeof name>)
        } catch {
          // A number that was true once must not pass for one that is true now.
          if (metric instanceof Gauge) clear(metric)
        }
      })
    },
    async text() {
      await Promise.all(sources.map((read) => read()))
      return await registry.metrics()
    },
    contentType: registry.contentType
  }
}

function createMetric(registry: Registry, name: string, definition: MetricDefinition): Metric {
  const { type, help, labels = {}, buckets } = definition
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] }
  if (type === 'gauge') return new Gauge(options)
  const metric =
    type === 'counter' ? new Counter(options) : new Histogram({ ...options, buckets: [...(buckets ?? [])] })
  // From 0 on, or Prometheus would not see the first of each.
  for (const series of seriesOf(definition) ?? []) {
    if (metric instanceof Counter) metric.inc(series, 0)
    else metric.zero(series)
  }
  return metric
}

/** A counter may be counted and read: only what its source has gained since it was last read is added. */
function advance(metric: Counter): (value: number, labels?: Labels) => void {
  const seen = new Map<string, number>()
  return (value, labels = {}) => {
    const key = JSON.stringify(labels)
    metric.inc(labels, Math.max(0, value - (seen.get(key) ?? 0)))
    seen.set(key, value)
  }
}

function replace(metric: Gauge): (value: number, labels?: Labels) => void {
  return (value, labels = {}) => metric.set(labels, value)
}

/** `reset` alone would leave a 0 where there are no labels. */
function clear(metric: Gauge): void {
  metric.reset()
  metric.remove({})
}
