import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ERRORS } from '../../src/errors.js'
import { packageRoot } from '../../src/lib/package-root.js'

const document = readFileSync(join(packageRoot(), 'docs/errors.md'), 'utf8')

t.test('docs/errors.md has exactly the errors of the code, with their texts', async (t) => {
  const rows = document.split('\n').filter((line) => /^\| [45]\d\d \|/.test(line))
  const expected = Object.entries(ERRORS)
    .sort(([, a], [, b]) => a.status - b.status)
    .map(
      ([code, { status, title, detail, remedy }]) => `| ${status} | \`${code}\` | ${title} | ${detail} | ${remedy} |`
    )
  t.strictSame(rows, expected)
})

t.test('docs/errors.md explains every code of a field at fault that the HTTP shell answers', async (t) => {
  const explained = document.slice(document.indexOf('## Fields at fault'))
  for (const file of ['errors/validation.ts', 'http/query.ts', 'http/json-body.ts']) {
    const source = readFileSync(join(packageRoot(), 'src/plugins', file), 'utf8')
    const codes = [...source.matchAll(/code: '(\w+)'|fault\(name, '(\w+)'/g)].map(
      ([, first, second]) => first ?? second ?? ''
    )
    t.ok(codes.length > 0, file)
    for (const code of codes) t.match(explained, new RegExp(`^\\|.*\`${code}\``, 'm'), code)
  }
})
