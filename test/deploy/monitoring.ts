import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'
import type { MetricDefinition } from '../../src/plugins/metrics/definition.js'
import { METRICS, type MetricName } from '../../src/plugins/metrics/table.js'
import { createApp, newUser } from '../fixtures/app.js'
import { type Exposed, parseExposition } from '../fixtures/exposition.js'
import { type Matcher, readPromql, type Selector } from '../fixtures/promql.js'

/** What Prometheus adds to every series of a target. */
const TARGET_LABELS = ['job', 'instance']

const read = (path: string) => readFileSync(join(packageRoot(), path), 'utf8')

const alerts = read('deploy/prometheus/alerts.yml')
const dashboard = JSON.parse(read('deploy/grafana/dashboard.json'))
const panels: Panel[] = dashboard.panels
const variables: Variable[] = dashboard.templating.list

interface Panel {
  id: number
  type: string
  title: string
  description?: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string }[]
}

interface Variable {
  name: string
  query: string | { query: string }
}

const alertExpressions = [...alerts.matchAll(/^ +expr: (.+)$/gm)].map(([, expression = '']) => expression)
const dashboardExpressions = [
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }: { expr: string }) => expr),
  ...variables.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]))
]

const documentExpressions = [...read('docs/metrics.md').matchAll(/```promql\n([\s\S]*?)```/g)].flatMap(
  ([, block = '']) => block.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
)

interface Answer {
  exposed: Map<string, Exposed>
  /** The patterns of all routes. */
  routes: string[]
}

async function answerOf(t: Parameters<typeof createApp>[0]): Promise<Answer> {
  const { app, http } = await createApp(t)
  await newUser(http)
  const exposed = parseExposition((await http('GET', '/metrics')).raw)
  const { paths = {} } = app.swagger() as { paths?: Record<string, unknown> }
  return { exposed, routes: Object.keys(paths).map((path) => path.replaceAll(/\{(\w+)\}/g, ':$1')) }
}

/** Why the selector would find nothing. */
function faultOf({ name, matchers, overTime }: Selector, { exposed, routes }: Answer): string | undefined {
  if (name === 'up') return undefined
  const base = [...exposed].find(([metric, { series }]) => metric === name || series.some((one) => one.name === name))
  if (base === undefined) return 'there is no such metric'
  const [metric, { type }] = base
  if (type === 'histogram' && metric === name) return 'a histogram has no series of its own name'
  if (type !== 'gauge' && !overTime) return 'a counter means something only over a time'
  // What may come is in the table, also where nothing of it has been yet.
  const { labels = {} }: MetricDefinition = METRICS[metric as MetricName]
  const values = (label: string) => (label === 'route' ? routes : [labels[label] ?? []].flat())
  const broken = matchers.find((matcher) => !finds(matcher, values(matcher.label)))
  return broken && `nothing has ${broken.label}${broken.operator}"${broken.value}"`
}

/** A variable of the dashboard stands for targets, and targets are Prometheus' affair. */
function finds({ label, operator, value }: Matcher, values: readonly string[]): boolean {
  if (TARGET_LABELS.includes(label)) return true
  if (!operator.includes('~')) return values.includes(value)
  return value.split('|').every((part) => values.some((one) => new RegExp(`^(?:${part})$`).test(one)))
}

const queries = { alerts: alertExpressions, dashboard: dashboardExpressions, documents: documentExpressions }

/** The labels of all series of this name. */
function labelsOf(name: string, { exposed }: Answer): string[] {
  const series = [...exposed.values()].flatMap((metric) => metric.series).filter((one) => one.name === name)
  return series.flatMap(({ labels }) => Object.keys(labels))
}

for (const [where, expressions] of Object.entries(queries)) {
  t.test(`every query of the ${where} finds what /metrics exposes`, async (t) => {
    const answer = await answerOf(t)
    t.ok(expressions.length > 3)
    for (const expression of expressions) {
      const { selectors, grouping } = readPromql(expression.replace(/^label_values\((.*), (\w+)\)$/, '$1'))
      t.ok(selectors.length > 0, expression)
      for (const selector of selectors) t.equal(faultOf(selector, answer), undefined, expression)
      const labels = new Set(selectors.flatMap(({ name }) => labelsOf(name, answer)))
      for (const label of grouping) {
        t.ok(TARGET_LABELS.includes(label) || labels.has(label), `${label} in ${expression}`)
      }
    }
  })
}

t.test('every alert has an expression, a severity, and says what it means and what to do', async (t) => {
  const rules = alerts.split(/^ +- alert: /m).slice(1)
  t.equal(rules.length, alertExpressions.length)
  for (const rule of rules) {
    for (const part of [
      /^Postern[A-Za-z]+\n/,
      /severity: (?:critical|warning|info)\n/,
      /summary: ".+"\n/,
      /description: ".+"\n/
    ]) {
      t.match(rule, part)
    }
  }
})

t.test('docs/metrics.md names every alert with its severity, and no other', async (t) => {
  const named = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, ...parts]) => parts.join(' '))
  t.strictSame(
    named(read('docs/metrics.md'), /^\| `(Postern\w+)` \| (\w+) \|/gm),
    named(alerts, /^ +- alert: (\w+)$[\s\S]*?severity: (\w+)$/gm)
  )
})

t.test(
  'every panel of the dashboard says what it shows, has a place of its own, and uses variables that are there',
  async (t) => {
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    const cells = new Set<string>()
    for (const {
      type,
      title,
      description,
      gridPos: { x, y, w, h }
    } of panels) {
      t.ok(title)
      t.ok(type === 'row' || description, title)
      t.ok(x + w <= 24, title)
      for (let column = x; column < x + w; column += 1) {
        for (let row = y; row < y + h; row += 1) {
          t.notOk(cells.has(`${column} ${row}`), `${title} lies over nothing`)
          cells.add(`${column} ${row}`)
        }
      }
    }
    const used = new Set([...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name))
    const known = new Set([...variables.map(({ name }) => name), '__rate_interval'])
    t.strictSame(
      [...used].filter((name) => !known.has(name ?? '')),
      []
    )
  }
)

t.test('the reader of PromQL sees what it should', async (t) => {
  t.strictSame(readPromql('sum by (le, route) (rate(a_bucket{b="x y",c=~"d|e"}[5m])) / min(f) > 0.5 and g != 1'), {
    selectors: [
      {
        name: 'a_bucket',
        matchers: [
          { label: 'b', operator: '=', value: 'x y' },
          { label: 'c', operator: '=~', value: 'd|e' }
        ],
        overTime: true
      },
      { name: 'f', matchers: [], overTime: false },
      { name: 'g', matchers: [], overTime: false }
    ],
    grouping: ['le', 'route']
  })
  const answer = await answerOf(t)
  const fault = (expression: string) => faultOf(readPromql(expression).selectors[0] as Selector, answer)
  t.match(fault('rate(postern_login_total[5m])'), 'no such metric')
  t.match(fault('postern_logins_total'), 'over a time')
  t.match(fault('rate(postern_hash_seconds[5m])'), 'of its own name')
  t.match(fault('rate(postern_logins_total{reason="nothing"}[5m])'), 'nothing has')
  t.match(fault('rate(postern_logins_total{why="none"}[5m])'), 'nothing has')
  t.match(fault('rate(postern_logins_total{reason=~"none|nothing"}[5m])'), 'nothing has')
  t.match(fault('rate(postern_http_request_seconds_count{route="/auth/nothing"}[5m])'), 'nothing has')
  t.equal(fault('rate(postern_logins_total{reason=~"none|.*password"}[5m])'), undefined)
})
