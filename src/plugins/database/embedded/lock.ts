import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Another running service has this DATA_DIR; the caller ends with exit code 78. */
export class DataDirInUse extends Error {
  constructor(dataDir: string, pid: number | undefined) {
    const holder = pid === undefined ? 'another PostgreSQL' : `process ${pid}`
    super(`DATA_DIR ${dataDir} is in use by ${holder}: stop it, or set another DATA_DIR`)
    this.name = 'DataDirInUse'
  }
}

interface Owner {
  pid: number
  /** Tells the process from a later one with the same number. */
  started: string
}

/**
 * Takes the folder for this process, or throws {@link DataDirInUse} at once. A lock whose process has died is taken
 * over. Returns the function that gives it back.
 */
export function lockFolder(dataDir: string, file: string): () => void {
  const mine = `${file}.${randomBytes(6).toString('hex')}`
  const owner: Owner = { pid: process.pid, started: startOf(process.pid) ?? '' }
  writeFileSync(mine, JSON.stringify(owner), { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < 10; attempt++) {
      if (claim(mine, file)) return () => rmSync(file, { force: true })
      const other = read(file)
      if (other && isAlive(other)) throw new DataDirInUse(dataDir, other.pid)
      removeStale(file, other)
    }
    throw new DataDirInUse(dataDir, read(file)?.pid)
  } finally {
    rmSync(mine, { force: true })
  }
}

/** A link is made whole or not at all, and never over another: only one of two claims succeeds. */
function claim(mine: string, file: string): boolean {
  try {
    linkSync(mine, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Two starts may judge the same lock stale: what was moved away is looked at again, and put back if it is a new one. */
function removeStale(file: string, judged: Owner | undefined): void {
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  const moved = read(aside)
  if (moved && JSON.stringify(moved) !== JSON.stringify(judged)) claim(aside, file)
  rmSync(aside, { force: true })
}

function read(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner
  } catch {
    return undefined
  }
}

function isAlive(owner: Owner): boolean {
  return startOf(owner.pid) === owner.started
}

/** When the process started, in the system's own words; undefined when it has ended, even if nobody has waited for it. */
export function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return startByPs(pid)
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${bootId()} ${fields[19]}`
  } catch {
    return undefined
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

function startByPs(pid: number): string | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
  const [, state, started] = /^\s*(\S+)\s+(.*\S)\s*$/.exec(stdout) ?? []
  return state === undefined || state.startsWith('Z') ? undefined : started
}
