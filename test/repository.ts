import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/lib/package-root.js'

const lines = (file: string) => readFileSync(join(packageRoot(), file), 'utf8').split('\n')

t.test('neither .env nor the data folder can be committed', async (t) => {
  const ignored = lines('.gitignore')
  for (const pattern of ['.env', '.postern/', 'node_modules/', 'dist/']) t.ok(ignored.includes(pattern), pattern)
  t.strictSame(
    ignored.filter((line) => line.startsWith('!')),
    [],
    'and nothing is taken back'
  )
})

t.test('.env.example is part of the repository', async (t) => {
  t.ok(existsSync(join(packageRoot(), '.env.example')))
  t.notOk(lines('.gitignore').some((line) => line.includes('*') && '.env.example'.includes(line.replaceAll('*', ''))))
})

t.test('a package has the page, and nothing of a working copy', async (t) => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: packageRoot(),
    encoding: 'utf8'
  })
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  const paths = files.map(({ path }) => path)
  for (const path of ['public/admin/index.html', 'public/admin/main.js', 'drizzle/0000_init.sql'])
    t.ok(paths.includes(path), path)
  t.notOk(paths.some((path) => /^(?:\.env|\.postern|node_modules)(?:\/|$)/.test(path)))
})

t.test('an image is built from what is listed, so that no secret and no local data get into one', async (t) => {
  const [everything, ...listed] = lines('.dockerignore').filter((line) => line !== '' && !line.startsWith('#'))
  t.equal(everything, '*')
  t.ok(listed.every((line) => line.startsWith('!')))
  for (const kept of ['.env', '.postern', '.git', 'node_modules', 'test']) t.notOk(listed.includes(`!${kept}`), kept)
})
