import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'
import { sourceFiles } from '../fixtures/source.js'

const page = readFileSync(join(packageRoot(), 'docs/architecture.md'), 'utf8')

/** What each plugin says that it needs: `fp(…, { name, dependencies })`. */
const declared = new Map(
  sourceFiles().flatMap(({ text }) =>
    [...text.matchAll(/\bname: '([a-z-]+)'(?:,\s*dependencies: \[([^\]]*)\])?\s*\}\s*\)/g)].map(
      ([, name = '', needs = '']) => [name, [...needs.matchAll(/'([^']+)'/g)].map(([, need = '']) => need)] as const
    )
  )
)

/** Directly, or through what it needs. */
function needs(name: string, other: string): boolean {
  return (declared.get(name) ?? []).some((need) => need === other || needs(need, other))
}

t.test('the table of plugins has each of them, and no other', async (t) => {
  const listed = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name = '']) => name)
  t.ok(listed.length > 20)
  t.strictSame(listed.toSorted(), [...declared.keys()].toSorted())
})

t.test('each arrow of the picture is a need that the plugin declares', async (t) => {
  const arrows = [...page.matchAll(/^ {2}([a-z-]+) --> (.+)$/gm)].flatMap(([, from = '', to = '']) =>
    to.split(' & ').map((need) => [from, need] as const)
  )
  t.ok(arrows.length > 30)
  for (const [from, to] of arrows) t.ok(needs(from, to), `${from} needs ${to}`)
})
