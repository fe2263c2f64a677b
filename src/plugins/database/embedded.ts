import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Account, findAccount } from './embedded/account.js'
import { type Binaries, findBinaries } from './embedded/binaries.js'
import {
  clusterUrl,
  createCluster,
  placeCluster,
  prepareDataDir,
  removeSocketFolder,
  removeUnfinished,
  socketFolder
} from './embedded/cluster.js'
import { lockFolder } from './embedded/lock.js'
import { stopLeftover, supervise, untilGone, untilReady } from './embedded/postmaster.js'

export { DataDirInUse } from './embedded/lock.js'

export interface EmbeddedOptions {
  /** May be relative, and need not exist. */
  dataDir: string
  /** Called when there is no database yet, before it is made: that takes some seconds. */
  onCreate?: () => void
  /** A crash of the machine loses or damages the data: for tests alone. */
  testOnlyNoFsync?: boolean
}

export interface EmbeddedServer {
  /** As libpq writes a socket folder: `postgres://user:password@%2Ffolder:5432/database`. Holds the password. */
  url: string
  /** The server's process. */
  pid: number
  /** Resolves when the server has ended, whoever ended it. */
  ended: Promise<void>
  /** Stops the server (within about 10 s) and gives the folder back. Safe to call twice. */
  stop(): Promise<void>
}

/** A folder that this process has taken, with or without its server running. */
export interface EmbeddedDatabase {
  /** The folder's real path. */
  dataDir: string
  /** Starts the server unless it runs, making the database at the first start. Safe to repeat after a failure. */
  ensureRunning(): Promise<EmbeddedServer>
  /** Stops the server and gives the folder back. Safe to call twice. */
  stop(): Promise<void>
}

const LOCK_FILE = 'postgres.lock'
const NO_FSYNC = ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'synchronous_commit=off']

/**
 * Starts the PostgreSQL under `dataDir`, making it at the first start. It listens on a unix socket alone, runs as
 * `postgres` or `nobody` when this process is root, and ends with this process, however that ends.
 * Throws `DataDirInUse` at once when another live process has the folder.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const database = await openEmbedded(options)
  try {
    return await database.ensureRunning()
  } catch (error) {
    await database.stop()
    throw error
  }
}

/** As {@link startEmbedded}, for a caller that goes on without the server for a while, and starts it again. */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const account = findAccount()
  const binaries = await findBinaries(account)
  const dataDir = prepareDataDir(resolve(options.dataDir))
  const unlock = lockFolder(dataDir, join(dataDir, LOCK_FILE))
  let running: Promise<Running & EmbeddedServer> | undefined
  let stopping: Promise<void> | undefined
  const start = async () => {
    const server = await runServer({ ...options, dataDir }, binaries, account)
    server.ended.then(() => {
      running = undefined
    })
    return { ...server, stop }
  }
  const ensureRunning = (): Promise<EmbeddedServer> => {
    if (stopping) return Promise.reject(new Error('the embedded PostgreSQL has been stopped'))
    running ??= start().catch((error: unknown) => {
      running = undefined
      throw error
    })
    return running
  }
  const stop = (): Promise<void> => {
    const server = running
    stopping ??= (server ?? Promise.resolve(undefined))
      .catch(() => undefined)
      .then((started) => started && stopServer(started))
      .then(unlock)
    return stopping
  }
  return { dataDir, ensureRunning, stop }
}

type Running = Omit<EmbeddedServer, 'stop'> & { interrupt(): void }

async function runServer(options: EmbeddedOptions, binaries: Binaries, account?: Account): Promise<Running> {
  const cluster = placeCluster(options.dataDir, account)
  await removeUnfinished(cluster)
  if (!existsSync(cluster)) {
    options.onCreate?.()
    await createCluster(cluster, binaries, account)
  }
  const leftover = await stopLeftover(cluster)
  if (leftover) removeSocketFolder(leftover.socketFolder)
  const socket = socketFolder(cluster, account)
  const args = ['-D', cluster, '-k', socket, '-p', '5432', ...settings(options)]
  const server = supervise(binaries.postgres, args, cluster, account)
  const pid = await untilReady(cluster, server, leftover)
  return {
    url: clusterUrl(cluster, socket),
    pid,
    ended: server.ended.then(() => removeSocketFolder(socket)),
    interrupt: () => server.child.stdin?.end()
  }
}

function settings({ testOnlyNoFsync = false }: EmbeddedOptions): string[] {
  const always = ['-c', 'listen_addresses=', '-c', 'unix_socket_permissions=0700', '-c', 'timezone=UTC']
  return testOnlyNoFsync ? [...always, ...NO_FSYNC, '-c', 'max_connections=300'] : always
}

/** A fast shutdown is asked for; what does not heed it is made to end. */
async function stopServer({ pid, ended, interrupt }: Running): Promise<void> {
  interrupt()
  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    if (await untilGone(pid, 4_000)) break
    process.kill(pid, signal)
  }
  await ended
}
