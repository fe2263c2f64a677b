// Compiles, starts one PostgreSQL with a migrated template database, runs tap, and closes with `N passed, N failed`.
// Usage: node scripts/test.js [test/file.ts …]   (no file: all, with coverage)
// With TEST_POOLER=pgbouncer the tests' databases are reached through it; see scripts/test-pgbouncer.sh.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const build = join(root, '.test-build')
process.chdir(root)

const files = process.argv.slice(2)
removeStaleOutput()
run('node_modules/.bin/tsc', ['-p', 'tsconfig.test.json'], { required: files.length === 0 })
buildTapOnce()

const { startEmbedded } = await import(pathToFileURL(join(build, 'src/plugins/database/embedded.js')).href)
const { prepareTemplate } = await import(pathToFileURL(join(build, 'test/fixtures/template.js')).href)
const folder = mkdtempSync(join(tmpdir(), 'pt-'))
const server = await startEmbedded({ dataDir: folder, testOnlyNoFsync: true })
let failed = 1
let pooler
try {
  await prepareTemplate(server.url)
  if (process.env.TEST_POOLER === 'pgbouncer') {
    const { ADVISED, createPooler } = await import(pathToFileURL(join(build, 'test/fixtures/pgbouncer.js')).href)
    pooler = await createPooler(server.url, ADVISED)
  }
  const urls = { TEST_DATABASE_URL: server.url, ...(pooler && { TEST_POOLER_URL: pooler.url }) }
  failed = await runTap({ ...process.env, NODE_ENV: 'test', ...urls })
} finally {
  await pooler?.stop()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failed === 0 ? 0 : 1

/** A test whose source is gone must not go on passing. */
function removeStaleOutput() {
  if (!existsSync(build)) return
  for (const name of readdirSync(build, { recursive: true })) {
    if (!name.endsWith('.js') || name.startsWith('node_modules')) continue
    if (!existsSync(join(root, name.replace(/\.js$/, '.ts')))) rmSync(join(build, name))
  }
}

/** tap keeps its plugin set inside node_modules, so a fresh install has to build it once. */
function buildTapOnce() {
  const wanted = createHash('sha256')
    .update(readFileSync('.taprc'))
    .update(readFileSync('package-lock.json'))
    .digest('hex')
  const marker = 'node_modules/.tap-plugins'
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return
  run('node_modules/.bin/tap', ['build'])
  writeFileSync(marker, wanted)
}

/** A type error elsewhere does not keep a single file from being tried. */
function run(command, args, { required = true } = {}) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0 && required) {
    console.log('0 passed, 1 failed')
    process.exit(1)
  }
}

/** Shows a line for each file and every failure whole; counts assertions. */
async function runTap(env) {
  const targets = files.map((file) => join('.test-build', relative(root, file).replace(/\.ts$/, '.js')))
  const coverage = files.length > 0 ? ['--disable-coverage'] : []
  const tap = spawn('node_modules/.bin/tap', ['run', ...coverage, ...targets], {
    env,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let passed = 0
  let failures = 0
  let showing = false
  for await (const line of createInterface({ input: tap.stdout })) {
    const [, indent, not] = /^(\s*)(not )?ok \d+/.exec(line) ?? []
    if (indent !== undefined) showing = not !== undefined
    if (showing || indent === '' || /^# \{|^#? *(ERROR|bail)/i.test(line)) console.log(line)
    // tap's own count, of assertions alone: `# { total: 30, pass: 29, fail: 1 }`
    const total = /^# \{ total: (\d+).*\}/.exec(line)?.[1]
    if (total !== undefined) {
      passed = Number(/pass: (\d+)/.exec(line)?.[1] ?? 0)
      failures = Number(total) - passed
    }
  }
  const code = await new Promise((resolve) =>
    tap.exitCode === null ? tap.on('close', resolve) : resolve(tap.exitCode)
  )
  if (code !== 0 && failures === 0) failures = 1
  if (passed + failures === 0) failures = 1
  console.log(`${passed} passed, ${failures} failed`)
  return failures
}
