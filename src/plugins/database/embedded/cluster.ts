import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Account, canEnter } from './account.js'
import { type Binaries, SHARED_FOLDER } from './binaries.js'
import { supervise } from './postmaster.js'

/** The role and the database of the embedded server; the role is no superuser. */
const ROLE = 'postern'
const PASSWORD_FILE = 'postern.password'
const FRESH_PREFIX = 'postgres.new-'
const SOCKET_PREFIX = '/tmp/postern-'
/** The address of a unix socket holds about 104 bytes, and `/.s.PGSQL.5432` is part of it. */
const SOCKET_FOLDER_MAX_BYTES = 85

/** Makes DATA_DIR if need be, for this user alone. Returns its real path. */
export function prepareDataDir(dataDir: string): string {
  mkdirSync(dirname(dataDir), { recursive: true })
  if (!existsSync(dataDir)) mkdirSync(dataDir, { mode: 0o700 })
  const folder = realpathSync(dataDir)
  if (isOurs(folder)) chmodSync(folder, 0o700)
  return folder
}

/** Nothing in it but private files and our own: only then its mode and owner are ours to change (think of DATA_DIR=/tmp). */
function isOurs(folder: string): boolean {
  return readdirSync(folder).every((name) => {
    if (name === 'postgres' || name.startsWith(FRESH_PREFIX)) return true
    const stat = lstatSync(join(folder, name))
    return stat.isFile() && (stat.mode & 0o077) === 0
  })
}

/**
 * The folder that holds (or will hold) the database files. It is `DATA_DIR/postgres`, except when root keeps DATA_DIR
 * where `account` cannot come (/root): then that is a link to a folder that it can reach.
 */
export function placeCluster(folder: string, account: Account | undefined): string {
  const place = join(folder, 'postgres')
  if (existsSync(place)) return realpathSync(place)
  // What is there all the same is a link that leads nowhere.
  rmSync(place, { force: true })
  if (!account) return place
  const { uid, gid } = statSync(folder)
  if (isOurs(folder)) chownSync(folder, account.uid, account.gid)
  if (canEnter(account, folder)) return place
  chownSync(folder, uid, gid)
  const home = makeHome(account)
  if (!canEnter(account, home)) {
    throw new Error(
      `The user "${account.name}" cannot enter DATA_DIR ${folder}: set DATA_DIR to a folder that it can reach`
    )
  }
  symlinkSync(join(home, 'postgres'), place)
  return join(home, 'postgres')
}

function makeHome(account: Account): string {
  const home = join(SHARED_FOLDER, `data-${randomBytes(8).toString('hex')}`)
  mkdirSync(SHARED_FOLDER, { recursive: true, mode: 0o755 })
  mkdirSync(home, { mode: 0o700 })
  chownSync(home, account.uid, account.gid)
  return home
}

/** Whole or not there: everything is done in a fresh folder, which is renamed at the end. */
export async function createCluster(cluster: string, binaries: Binaries, account: Account | undefined): Promise<void> {
  const home = dirname(cluster)
  const fresh = join(home, FRESH_PREFIX + randomBytes(6).toString('hex'))
  mkdirSync(fresh, { mode: 0o700 })
  if (account) chownSync(fresh, account.uid, account.gid)
  const pwfile = `${fresh}.pw`
  writePrivate(pwfile, secret(), account)
  try {
    const args = ['-D', fresh, '-U', 'postgres', '--pwfile', pwfile, '-A', 'scram-sha-256', '-E', 'UTF8', '--no-locale']
    await run(binaries.initdb, [...args, '--no-sync'], fresh, account)
  } finally {
    rmSync(pwfile, { force: true })
  }
  const password = secret()
  await createRole(fresh, password, binaries, account)
  writePrivate(join(fresh, PASSWORD_FILE), password, account)
  writeFileSync(join(fresh, 'pg_hba.conf'), 'local all all scram-sha-256\n')
  await run(binaries.initdb, ['-D', fresh, '--sync-only'], fresh, account)
  renameSync(fresh, cluster)
}

/** Single-user mode: no socket is open yet, so the role has its password before anybody can connect. */
async function createRole(
  fresh: string,
  password: string,
  binaries: Binaries,
  account: Account | undefined
): Promise<void> {
  const statements = join(fresh, 'first.sql')
  writePrivate(
    statements,
    `CREATE ROLE ${ROLE} LOGIN CREATEDB PASSWORD '${password}'\nCREATE DATABASE ${ROLE} OWNER ${ROLE}\n`,
    account
  )
  const script = 'exec "$0" --single -D "$1" -c exit_on_error=on postgres <"$2"'
  await run('/bin/sh', ['-c', script, binaries.postgres, fresh, statements], fresh, account)
  rmSync(statements)
}

/** How a server of this cluster is reached, as libpq writes a socket folder. Holds the password. */
export function clusterUrl(cluster: string, socket: string): string {
  const password = readFileSync(join(cluster, PASSWORD_FILE), 'utf8').trim()
  return `postgres://${ROLE}:${password}@${encodeURIComponent(socket)}:5432/${ROLE}`
}

/** Where the socket is: beside the data, or in a short private folder when that path is too long for an address. */
export function socketFolder(cluster: string, account: Account | undefined): string {
  if (Buffer.byteLength(cluster) <= SOCKET_FOLDER_MAX_BYTES) return cluster
  const folder = mkdtempSync(SOCKET_PREFIX)
  if (account) chownSync(folder, account.uid, account.gid)
  return folder
}

/** Removes a folder that {@link socketFolder} made, and nothing else. */
export function removeSocketFolder(folder: string): void {
  if (folder.startsWith(SOCKET_PREFIX)) rmSync(folder, { recursive: true, force: true })
}

/** What a killed first start has left. Its initdb may be on its way down still, and write for a moment longer. */
export async function removeUnfinished(cluster: string): Promise<void> {
  const home = dirname(cluster)
  const left = readdirSync(home).filter((name) => name.startsWith(FRESH_PREFIX))
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }
  // Not worth failing for: the next start tries again.
  await Promise.allSettled(left.map((name) => rm(join(home, name), options)))
}

function writePrivate(file: string, text: string, account: Account | undefined): void {
  writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
  if (account) chownSync(file, account.uid, account.gid)
}

function secret(): string {
  return randomBytes(24).toString('base64url')
}

async function run(program: string, args: string[], cwd: string, account: Account | undefined): Promise<void> {
  const running = supervise(program, args, cwd, account)
  if ((await running.ended) !== 0) {
    throw new Error(`The embedded PostgreSQL could not be set up: ${running.output() || `${program} failed`}`)
  }
}
