import t from 'tap'
import { EVENT_TYPES } from '../../src/events.js'
import type { MetricDefinition } from '../../src/plugins/metrics/definition.js'
import { METRICS } from '../../src/plugins/metrics/table.js'
import { readDocument } from '../fixtures/transcript.js'

const document = readDocument('docs/metrics.md')

/** The types of events have a document of their own. */
function textOf(values: readonly string[]): string {
  const isEvents = values.length === Object.keys(EVENT_TYPES).length && values.every((value) => value in EVENT_TYPES)
  return isEvents ? 'every type of [events.md](events.md)' : values.map((value) => `\`${value}\``).join(', ')
}

function labelsOf({ labels = {} }: MetricDefinition): string {
  const each = Object.entries(labels).map(([label, values]) => {
    return `\`${label}\`: ${typeof values === 'string' ? values : textOf(values)}`
  })
  return each.join('<br>')
}

t.test('docs/metrics.md has exactly the metrics of the code, with their types, labels and meaning', async (t) => {
  const rows = document.split('\n').filter((line) => /^\| `(?:postern|process|nodejs)_/.test(line))
  const expected = Object.entries<MetricDefinition>(METRICS).map(
    ([name, definition]) => `| \`${name}\` | ${definition.type} | ${definition.help} | ${labelsOf(definition)} |`
  )
  t.strictSame(rows, expected)
})
