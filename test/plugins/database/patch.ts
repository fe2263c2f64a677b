import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { packageRoot } from '../../../src/lib/package-root.js'
import { temporaryFolder } from '../../fixtures/database.js'

const FILES = ['src', 'cjs/src'].flatMap((folder) => [`${folder}/connection.js`, `${folder}/index.js`])
const CHECK = fileURLToPath(new URL('../../../src/plugins/database/patched.js', import.meta.url))

/** A copy of the installed package, as `node_modules/postgres` of a folder of the test's own. */
function copyOf(t: Test) {
  const folder = temporaryFolder(t)
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  cpSync(join(packageRoot(), 'node_modules/postgres'), join(modules, 'postgres'), { recursive: true })
  const read = (name: string) => readFileSync(join(modules, 'postgres', name), 'utf8')
  return {
    folder,
    read,
    write: (name: string, text: string) => writeFileSync(join(modules, 'postgres', name), text),
    all: () => FILES.map(read),
    patch: () => {
      const script = join(packageRoot(), 'scripts/patch-postgres.js')
      const { status, stderr } = spawnSync(process.execPath, [script, modules], { encoding: 'utf8' })
      return { status, stderr }
    }
  }
}

t.test('the installed postgres.js is patched in both entry points, and a second run changes nothing', async (t) => {
  const copy = copyOf(t)
  const before = copy.all()
  for (const text of before) t.match(text, /^\/\/ Patched by Postern/)
  t.strictSame(copy.patch(), { status: 0, stderr: '' })
  t.strictSame(copy.all(), before)
})

t.test('another version of postgres.js stops the installation', async (t) => {
  const copy = copyOf(t)
  const before = copy.all()
  copy.write('package.json', copy.read('package.json').replace(/"version": "[^"]+"/, '"version": "3.4.10"'))
  const { status, stderr } = copy.patch()
  t.equal(status, 1)
  t.match(stderr, '3.4.10')
  t.strictSame(copy.all(), before)
})

t.test('a line that is not as the patch expects it stops the installation', async (t) => {
  const copy = copyOf(t)
  const without = copy.read('src/index.js').replace(/^.*\n/, '')
  copy.write('src/index.js', without)
  const { status, stderr } = copy.patch()
  t.equal(status, 1)
  t.match(stderr, 'src/index.js')
  t.equal(copy.read('src/index.js'), without)
})

t.test('the service refuses to run on a postgres.js that is not patched', async (t) => {
  const copy = copyOf(t)
  cpSync(CHECK, join(copy.folder, 'patched.mjs'))
  const start = () => {
    const code = `(await import('./patched.mjs')).refuseUnpatchedDriver()`
    const args = ['--input-type=module', '--eval', code]
    return spawnSync(process.execPath, args, { cwd: copy.folder, encoding: 'utf8', env: {} })
  }
  t.equal(start().status, 0)
  copy.write('src/index.js', copy.read('src/index.js').replace(/^.*\n/, ''))
  const { status, stderr } = start()
  t.equal(status, 1)
  t.match(stderr, 'scripts/patch-postgres.js')
})
