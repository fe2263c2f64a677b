import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'
import { METRICS } from '../../src/plugins/metrics/table.js'
import { SETTINGS } from '../../src/settings/table.js'
import { ADVISED } from '../fixtures/pgbouncer.js'
import { postern } from '../fixtures/process.js'
import { readDocument } from '../fixtures/transcript.js'

const DOCUMENT = 'docs/operations.md'
const document = readDocument(DOCUMENT)
const code = [...document.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text)

/** Of PostgreSQL, HTTP and SQL; everything else in capitals is a setting. */
const NOT_OURS = ['CREATE', 'READ COMMITTED', 'SELECT … FOR UPDATE', 'UPDATE', 'NODE_EXTRA_CA_CERTS']

t.test('every setting that it names is one', async (t) => {
  const settings: string[] = Object.values(SETTINGS).map(({ name }) => name)
  const named = code.filter(
    (text) => /^[A-Z][A-Z_]{3,}/.test(text) && !NOT_OURS.includes(text) && !text.startsWith('NAME_')
  )
  t.ok(named.length > 15)
  for (const text of named) t.ok(settings.includes(text.replace(/[=:].*/, '')), text)
})

t.test('every command that it names is one', async (t) => {
  const commands = code
    .filter((text) => /^postern [a-z]/.test(text))
    .map((text) =>
      text
        .split(' ')
        .slice(1, 3)
        .filter((word) => /^[a-z]+$/.test(word))
    )
  t.ok(commands.length > 8)
  for (const words of new Set(commands.map((words) => words.join(' ')))) {
    const { ended, output } = postern(t, [...words.split(' '), '--help'], {})
    t.equal(await ended, 0, words)
    t.ok(output().stdout.startsWith(`Usage: postern ${words} `), words)
  }
})

t.test('every metric, every file and every script that it names is there', async (t) => {
  for (const name of code.filter((text) => /^postern_/.test(text))) t.ok(name in METRICS, name)
  const links = [...document.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, path = '']) => path)
  t.ok(links.length > 4)
  for (const path of links) t.ok(existsSync(join(packageRoot(), dirname(DOCUMENT), path)), path)
  const { scripts } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))
  for (const [, script = ''] of document.matchAll(/`npm run ([a-z:]+)`/g)) t.ok(script in scripts, script)
})

t.test('what it says to PgBouncer is what the test of PgBouncer says', async (t) => {
  const [, block = ''] = /```ini\n([\s\S]*?)```/.exec(document) ?? []
  const lines = Object.entries({ pool_mode: 'transaction', ...ADVISED }).map(([name, value]) => `${name} = ${value}`)
  t.strictSame(block.trim().split('\n'), ['[pgbouncer]', ...lines])
})

t.test('the limits of the role are those that a connection would have set', async (t) => {
  const source = readFileSync(join(packageRoot(), 'src/plugins/database/connections.ts'), 'utf8')
  const factor = (pattern: RegExp) => Number(pattern.exec(source)?.[1])
  const server = factor(/serverMs = Math\.floor\(timeoutMs \* ([\d.]+)\)/)
  const lock = factor(/lock: Math\.floor\(timeoutMs \* ([\d.]+)\)/)
  const limits = { statement_timeout: server, lock_timeout: lock, idle_in_transaction_session_timeout: server }
  for (const [name, part] of Object.entries(limits)) {
    t.ok(document.includes(`ALTER ROLE postern SET ${name} = '${3000 * part}ms';`), name)
  }
})
