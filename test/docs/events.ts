import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { EVENT_TYPES, FAILURE_REASONS } from '../../src/events.js'
import { packageRoot } from '../../src/lib/package-root.js'

const document = readFileSync(join(packageRoot(), 'docs/events.md'), 'utf8')

/** The first two cells of each row of the table that has this heading. */
function table(heading: string): Record<string, string> {
  const rows = document.split(heading)[1]?.split('\n\n', 1)[0]?.split('\n').slice(2) ?? []
  return Object.fromEntries(
    rows.map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', ''))).map(([, a, b]) => [a, b])
  )
}

const plain = (list: Record<string, string>) =>
  Object.fromEntries(Object.entries(list).map(([name, text]) => [name, text.replaceAll('`', '')]))

t.test('docs/events.md has exactly the event types of the code, with their meaning', async (t) => {
  t.same(table('| `event_type` | written when |'), plain(EVENT_TYPES))
})

t.test('docs/events.md has exactly the failure reasons of the code, with their meaning', async (t) => {
  t.same(table('| `failure_reason` | meaning |'), plain(FAILURE_REASONS))
})
