import type { FailureReason } from '../../events.js'

/** The values that a label can have: all of them, or, where only the running service knows them, what bounds them. */
type LabelValues = readonly string[] | string

/** Counters have no help of their own about units: names say them, as Prometheus' conventions want it. */
export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  labels?: Readonly<Record<string, LabelValues>>
  /** Of a histogram; upper bounds in seconds. */
  buckets?: readonly number[]
}

export const RESULTS = ['success', 'failure'] as const

/** Labels of what succeeds, with the reason `none`, or fails for one of these. `other`: for one that is not listed here. */
export function outcomes<const Reason extends FailureReason>(...reasons: Reason[]) {
  return { result: RESULTS, reason: ['none', ...reasons, 'other'] } as const
}

/** The members of a union of texts, all of them: the compiler misses one that is not there. */
export function membersOf<Member extends string>(members: Record<Member, true>): readonly Member[] {
  return Object.keys(members) as Member[]
}

/** Every set of labels that a metric can have; undefined where only the running service knows. */
export function seriesOf({ labels = {} }: MetricDefinition): Record<string, string>[] | undefined {
  let series: Record<string, string>[] = [{}]
  for (const [label, values] of Object.entries(labels)) {
    if (typeof values === 'string') return undefined
    series = series.flatMap((one) => values.map((value) => ({ ...one, [label]: value })))
  }
  return series.filter(isPossible)
}

/** What succeeds has no reason, and what fails has one. */
function isPossible({ result, reason }: Record<string, string>): boolean {
  return reason === undefined || (result === 'success') === (reason === 'none')
}
