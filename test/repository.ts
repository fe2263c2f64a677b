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

t.test('an image is built from what is listed, so that no secret and no local data get into one', async (t) => {
  const [everything, ...listed] = lines('.dockerignore').filter((line) => line !== '' && !line.startsWith('#'))
  t.equal(everything, '*')
  t.ok(listed.every((line) => line.startsWith('!')))
  for (const kept of ['.env', '.postern', '.git', 'node_modules', 'test']) t.notOk(listed.includes(`!${kept}`), kept)
})
