import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { openEmbedded, startEmbedded } from '../../../src/plugins/database/embedded.js'
import { createDatabaseApp, temporaryFolder, until } from '../../fixtures/database.js'
import { connect } from '../../fixtures/postgres.js'

const HOLDER = fileURLToPath(new URL('../../fixtures/embedded-holder.js', import.meta.url))

interface Told {
  url?: string
  pid?: number
  name?: string
  message?: string
}

/** A process that holds the folder, killed at the end of the test. */
function hold(t: Test, dataDir: string): { child: ChildProcess; told: Promise<Told> } {
  const child = spawn(process.execPath, [HOLDER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const told = once(createInterface({ input: child.stdout }), 'line').then(([line]) => JSON.parse(line) as Told)
  return { child, told }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function runs(pid: number | undefined): boolean {
  try {
    return process.kill(pid ?? 0, 0)
  } catch {
    return false
  }
}

async function start(t: Test, dataDir: string) {
  const server = await startEmbedded({ dataDir, testOnlyNoFsync: true })
  t.teardown(() => server.stop())
  return server
}

const postmaster = (dataDir: string): number =>
  Number.parseInt(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8'), 10)

const mode = (path: string): number => statSync(path).mode & 0o777

t.test('the first start makes a private folder, a private password and a server without a network', async (t) => {
  const dataDir = join(temporaryFolder(t), 'not/there/yet')
  chmodSync(join(dataDir, '../../..'), 0o711)
  const server = await start(t, dataDir)
  const cluster = join(dataDir, 'postgres')
  t.equal(mode(dataDir), 0o700)
  t.equal(mode(cluster), 0o700)
  t.equal(mode(join(cluster, 'postern.password')), 0o600)
  t.not(statSync(cluster).uid, 0, 'PostgreSQL is not root, whoever we are')
  const sql = connect(server.url)
  t.teardown(() => sql.end())
  const [row] = await sql`select current_setting('listen_addresses') as network,
    current_setting('unix_socket_permissions') as socket, current_setting('server_encoding') as encoding,
    (select rolsuper from pg_roles where rolname = current_user) as superuser`
  t.strictSame(row, { network: '', socket: '0700', encoding: 'UTF8', superuser: false })
  const wrong = connect(server.url.replace(/:[^:@]*@/, ':wrong@'), 1)
  t.teardown(() => wrong.end())
  await t.rejects(wrong`select 1`, { code: '28P01' })
  await t.rejects(connect(server.url.replace(/postern:[^:@]*@/, 'postgres@'), 1)`select 1`, { code: '28P01' })
})

t.test('the server ends with its service even by kill -9, and what was committed is there afterwards', async (t) => {
  const dataDir = temporaryFolder(t)
  const { child, told } = hold(t, dataDir)
  const { url = '', pid } = await told
  const before = connect(url, 1)
  await before`create table kept (n int)`
  await before`insert into kept values (1)`
  await before.end()
  await kill(child)
  await until(() => !runs(pid))
  const server = await start(t, dataDir)
  const after = connect(server.url, 1)
  t.teardown(() => after.end())
  t.strictSame([...(await after`select n from kept`)], [{ n: 1 }])
})

t.test('a start right after kill -9 of service and server finds everything', async (t) => {
  const dataDir = temporaryFolder(t)
  const { child, told } = hold(t, dataDir)
  const { url = '', pid = 0 } = await told
  const before = connect(url, 1)
  await before`create table kept (n int)`
  await before.end()
  process.kill(pid, 'SIGKILL')
  await kill(child)
  const after = connect((await start(t, dataDir)).url, 1)
  t.teardown(() => after.end())
  t.equal((await after`select n from kept`).length, 0)
})

t.test('a first start that is cut short by kill -9 leaves nothing that a later one would trip over', async (t) => {
  const dataDir = temporaryFolder(t)
  const { child } = hold(t, dataDir)
  await until(() => readdirSync(dataDir).some((name) => name.startsWith('postgres.new-')))
  await kill(child)
  t.notOk(existsSync(join(dataDir, 'postgres')))
  const sql = connect((await start(t, dataDir)).url, 1)
  t.teardown(() => sql.end())
  t.equal((await sql`select 1`).length, 1)
  t.strictSame(readdirSync(dataDir).sort(), ['postgres', 'postgres.lock'])
})

t.test('a folder in use is refused to another process and to this one, with a line that says by whom', async (t) => {
  const dataDir = temporaryFolder(t)
  const { child, told } = hold(t, dataDir)
  await told
  const expected = { name: 'DataDirInUse', message: `DATA_DIR ${dataDir} is in use by process ${child.pid}` }
  await t.rejects(startEmbedded({ dataDir }), { name: expected.name })
  const second = await hold(t, dataDir).told
  t.equal(second.name, 'DataDirInUse')
  t.ok(second.message?.startsWith(expected.message))
})

t.test('of three starts at once on an empty folder exactly one has it', async (t) => {
  const dataDir = temporaryFolder(t)
  const told = await Promise.all([1, 2, 3].map(() => hold(t, dataDir).told))
  t.equal(told.filter(({ url }) => url).length, 1)
  t.equal(told.filter(({ name }) => name === 'DataDirInUse').length, 2)
})

t.test('a lock whose process is gone counts for nothing, even if its number has come back', async (t) => {
  const dataDir = temporaryFolder(t)
  writeFileSync(join(dataDir, 'postgres.lock'), JSON.stringify({ pid: process.pid, started: 'another time' }), {
    mode: 0o600
  })
  t.ok((await start(t, dataDir)).url)
})

t.test('a path too long for a socket gets one elsewhere, which goes with the server', async (t) => {
  const dataDir = join(temporaryFolder(t), 'x'.repeat(120))
  chmodSync(join(dataDir, '..'), 0o711)
  const server = await start(t, dataDir)
  const folder = decodeURIComponent(new URL(server.url).hostname)
  t.equal(mode(folder), 0o700)
  const sql = connect(server.url, 1)
  t.equal((await sql`select 1`).length, 1)
  await sql.end()
  await server.stop()
  t.notOk(existsSync(folder))
})

t.test('a folder with files of others keeps its owner and its mode', async (t) => {
  const dataDir = temporaryFolder(t)
  chmodSync(dataDir, 0o755)
  writeFileSync(join(dataDir, 'README'), 'of somebody else')
  const { uid } = statSync(dataDir)
  await start(t, dataDir)
  t.equal(mode(dataDir), 0o755)
  t.equal(statSync(dataDir).uid, uid)
  t.equal(mode(join(dataDir, 'postgres')), 0o700)
})

t.test('a server that has died is started again, and not once the folder is given back', async (t) => {
  const database = await openEmbedded({ dataDir: temporaryFolder(t), testOnlyNoFsync: true })
  const first = await database.ensureRunning()
  t.equal(await database.ensureRunning(), first)
  process.kill(first.pid, 'SIGKILL')
  await first.ended
  const second = await database.ensureRunning()
  t.not(second.pid, first.pid)
  await Promise.all([database.stop(), second.stop()])
  t.notOk(runs(second.pid))
  await t.rejects(database.ensureRunning(), /stopped/)
})

t.test('the service brings back a server that died, and ends it when it closes', async (t) => {
  const dataDir = temporaryFolder(t)
  const { app } = await createDatabaseApp(t, undefined, dataDir)
  await app.ready()
  await until(() => app.database.state() === 'ready')
  t.equal(app.database.describe(), `embedded PostgreSQL in ${dataDir}`)
  const pid = postmaster(dataDir)
  process.kill(pid, 'SIGKILL')
  await until(() => app.database.state() === 'unavailable')
  await until(() => app.database.state() === 'ready')
  const next = postmaster(dataDir)
  t.not(next, pid)
  await app.close()
  t.notOk(runs(next))
})
