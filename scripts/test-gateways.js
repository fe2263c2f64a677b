// Runs the real gateways with the files of deploy/ in front of two instances of Postern, one after the other.
// Usage: node scripts/test-gateways.js [nginx caddy …]   (none: all of them)
// The programs are looked for in GATEWAYS_BIN (a folder), then in PATH. The files name fixed ports, so the tests run in a network
// namespace of their own where that is possible, which is Linux and root; elsewhere 3000, 3001, 8080, 8081 and 8089 have to be free.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'

const NAMES = ['nginx', 'caddy', 'haproxy', 'envoy', 'traefik']
const INSIDE = 'POSTERN_GATEWAYS_INSIDE'
const root = fileURLToPath(new URL('..', import.meta.url))
const build = join(root, '.test-build')
process.chdir(root)

if (process.env.GATEWAYS_BIN) process.env.PATH = `${process.env.GATEWAYS_BIN}${delimiter}${process.env.PATH}`
// Debian keeps them where only root looks.
process.env.PATH = `${process.env.PATH}${delimiter}/usr/sbin`

if (!process.env[INSIDE]) await runInNamespace()
else await runAll(process.argv.slice(2))

/** Once more, with a loopback interface that nobody else has. */
async function runInNamespace() {
  const again = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const own = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0
  const command = own ? ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...again] : again
  if (!own) console.log('no network namespace of our own: the ports have to be free')
  const child = spawn(command[0], command.slice(1), { stdio: 'inherit', env: { ...process.env, [INSIDE]: 'yes' } })
  process.exitCode = await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)))
}

async function runAll(wanted) {
  const names = wanted.length > 0 ? wanted : NAMES
  const missing = names.filter((name) => !isInstalled(name))
  if (missing.length > 0) fail(`not installed: ${missing.join(', ')}; see test/gateways/requirements.txt`)
  const { status } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.test.json'], { stdio: 'inherit' })
  if (status !== 0 && wanted.length === 0) fail('it does not compile')

  const { startEmbedded } = await import(pathToFileURL(join(build, 'src/plugins/database/embedded.js')).href)
  const folder = mkdtempSync(join(tmpdir(), 'pt-'))
  const server = await startEmbedded({ dataDir: folder, testOnlyNoFsync: true })
  const total = { passed: 0, failed: 0 }
  try {
    for (const name of names) await runOne(name, { ...process.env, TEST_DATABASE_URL: server.url }, total)
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  console.log(`${total.passed} passed, ${total.failed} failed`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

function isInstalled(name) {
  return process.env.PATH.split(delimiter).some((folder) => existsSync(join(folder, name)))
}

function fail(reason) {
  console.log(`${reason}\n0 passed, 1 failed`)
  process.exit(1)
}

/** A line for each rule, and every failure whole. */
async function runOne(name, env, total) {
  const test = spawn(process.execPath, [join(build, 'test/gateways/run.js'), name], {
    env,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let failedHere = 0
  let showing = false
  for await (const line of createInterface({ input: test.stdout })) {
    const [, indent, not] = /^(\s*)(not )?ok \d+/.exec(line) ?? []
    if (indent !== undefined) {
      showing = not !== undefined
      if (indent.length === 8 && not) failedHere += 1
      else if (indent.length === 8) total.passed += 1
      if (indent.length === 4) console.log(line.trim())
      else if (showing) console.log(line)
    } else if (showing || /^\s*# [^S]/.test(line)) console.log(line)
  }
  const code = await new Promise((resolve) =>
    test.exitCode === null ? test.on('close', resolve) : resolve(test.exitCode)
  )
  total.failed += failedHere === 0 && code !== 0 ? 1 : failedHere
}
