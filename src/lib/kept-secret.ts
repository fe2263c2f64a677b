import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync
} from 'node:fs'
import { join } from 'node:path'

/** A new secret: 48 random bytes as 64 characters that need no quotes in a shell, a URL or a `.env` file. */
export function newSecret(): string {
  return randomBytes(48).toString('base64url')
}

/**
 * The secret that is kept in `folder` under `name`, made at the first call. Of two processes that come first at the
 * same time both get the same one. The file is readable by its owner alone, the folder is made with mode 0700.
 * Throws when the file cannot be read or written.
 */
export function keptSecret(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, name)
  return read(path) ?? make(path)
}

function read(path: string): string | undefined {
  try {
    // Whoever copied or restored the folder may have lost the mode.
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A link is made whole or not at all and never over another: whoever comes second reads the first one's secret. */
function make(path: string): string {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`
  const file = openSync(fresh, 'wx', 0o600)
  try {
    writeSync(file, `${newSecret()}\n`)
    fsyncSync(file)
    linkSync(fresh, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    closeSync(file)
    rmSync(fresh, { force: true })
  }
  const secret = read(path)
  if (secret === undefined) throw new Error(`${path} has just been removed by somebody else`)
  return secret
}
