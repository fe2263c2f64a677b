import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Account } from './account.js'
import { startOf } from './lock.js'

/**
 * Runs a program that ends with this process, however this process ends: a second shell reads from a pipe whose other
 * end is here, and interrupts the program when that closes. Out of our process group, so that Ctrl-C reaches us alone.
 */
const SUPERVISE = `
exec 3<&0
trap '' INT TERM HUP
"$0" "$@" 3<&- </dev/null & program=$!
( cat <&3 >/dev/null; kill -INT $program ) & watcher=$!
exec 3<&-
wait $program; code=$?
kill -KILL $watcher
exit $code`

export interface Supervised {
  child: ChildProcess
  /** The exit code, null after a signal. */
  ended: Promise<number | null>
  /** The last words on standard error. */
  output(): string
}

export function supervise(program: string, args: string[], cwd: string, account?: Account): Supervised {
  const child = spawn('/bin/sh', ['-c', SUPERVISE, program, ...args], {
    cwd,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    ...(account && { uid: account.uid, gid: account.gid })
  })
  let tail = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-4000)
  })
  child.stdin?.on('error', () => {})
  const ended = new Promise<number | null>((resolve) => {
    child.on('error', (error) => {
      tail += error.message
      resolve(null)
    })
    child.on('exit', (code) => {
      child.stdin?.destroy()
      resolve(code)
    })
  })
  return { child, ended, output: () => tail.trim() }
}

interface PidFile {
  pid: number
  socketFolder: string
  ready: boolean
}

async function readPidFile(cluster: string): Promise<PidFile | undefined> {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const pid = Number(lines[0])
  if (!Number.isSafeInteger(pid) || pid < 2) return undefined
  return { pid, socketFolder: lines[4] ?? '', ready: lines[7]?.trim() === 'ready' }
}

/** Resolves when the server takes connections; throws with its last words when it ends before that. */
export async function untilReady(cluster: string, server: Supervised, leftover: PidFile | undefined): Promise<number> {
  let failed = false
  server.ended.then(() => {
    failed = true
  })
  for (let waitedMs = 0; !failed && waitedMs < 60_000; waitedMs += 20) {
    const file = await readPidFile(cluster)
    if (file?.ready && file.pid !== leftover?.pid) return file.pid
    await delay(20)
  }
  server.child.stdin?.end()
  throw new Error(`The embedded PostgreSQL did not start: ${server.output() || 'it said nothing'}`)
}

/** The server that has this cluster now, as its own file tells of it. */
export async function findServer(cluster: string): Promise<PidFile | undefined> {
  const file = await readPidFile(cluster)
  return file && servesCluster(file.pid, cluster) ? file : undefined
}

/**
 * What a service that was killed has left: its server is on its way down already, so it is given a moment, then told to
 * stop. The number alone proves nothing (it may be another process by now), so the process is looked at first.
 */
export async function stopLeftover(cluster: string): Promise<PidFile | undefined> {
  const file = await readPidFile(cluster)
  if (!file) return undefined
  for (const [signal, waitMs] of [
    [undefined, 1_000],
    ['SIGINT', 3_000],
    ['SIGQUIT', 3_000],
    ['SIGKILL', 3_000]
  ] as const) {
    if (!servesCluster(file.pid, cluster)) return file
    if (signal) process.kill(file.pid, signal)
    await untilGone(file.pid, waitMs)
  }
  return file
}

export async function untilGone(pid: number, waitMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < waitMs; waitedMs += 20) {
    if (startOf(pid) === undefined) return true
    await delay(20)
  }
  return startOf(pid) === undefined
}

/** A postmaster's arguments name its data folder. */
function servesCluster(pid: number, cluster: string): boolean {
  if (startOf(pid) === undefined) return false
  try {
    const args =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ')
        : spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout
    return args.includes(`-D ${cluster} `)
  } catch {
    return false
  }
}
