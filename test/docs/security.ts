import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'
import { readDocument } from '../fixtures/transcript.js'

const document = readDocument('docs/security.md')

/** The cells of the rows that state a rule, not the heads of their tables. */
const rows = document
  .split('\n')
  .filter((line) => /^\| (?:[A-Z]{2}-\d\d|—)/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, ids = '', rule = '', tests = '']) => ({ ids: ids.split(', '), rule, tests: tests.split('<br>') }))

/** `t.test('name', …` and, in the lists of test/gateways, `'name': async (t, world) => …`. */
const NAME = /\bt\.test\(\s*(['"`])((?:\\.|(?!\1).)*)\1|^ {2}(['"])((?:\\.|(?!\3).)*)\3: async \(/gms

/** Patterns of the names of a file's tests; what is put into a name when it runs may be anything. */
function namesIn(path: string): RegExp[] {
  const file = join(packageRoot(), path)
  const source = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return [...source.matchAll(NAME)].map(([, , test, , rule]) => {
    const name = test ?? rule ?? ''
    const parts = name.replace(/\\(.)/g, '$1').split(/\$\{[^}]*\}/)
    return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`)
  })
}

t.test('every rule names its tests, and each of them exists', async (t) => {
  t.ok(rows.length > 50)
  for (const { rule, tests } of rows) {
    for (const test of tests) {
      const [, path = '', name = ''] = /^`(test\/[a-z0-9/-]+\.ts)`: (.+)$/.exec(test) ?? []
      const found = path !== '' && namesIn(path).some((pattern) => pattern.test(name))
      t.ok(found, `${rule}: ${test}`)
    }
  }
})

t.test('no id stands for two rules', async (t) => {
  const ids = rows.flatMap((row) => row.ids).filter((id) => id !== '—')
  t.strictSame(ids, [...new Set(ids)])
})

t.test('the reader of the tests knows their names', async (t) => {
  const names = namesIn('test/docs/security.ts')
  t.ok(names.some((name) => name.test('the reader of the tests knows their names')))
  t.notOk(names.some((name) => name.test('a test that is not there')))
  t.ok(namesIn('test/gateways/protected.ts').some((name) => name.test('a header of 10 KB passes')))
})
