import { lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Finding, fail, ok, skip, warn } from './finding.js'

const CHECK = 'DATA_DIR'
const PRIVATE_FILES = ['auth-secret']

/** The folder of the embedded database and the generated secret is for its owner alone. */
export function checkDataDir({ databaseUrl, dataDir }: { databaseUrl: string | undefined; dataDir: string }): Finding {
  if (databaseUrl !== undefined) return skip(CHECK, 'not used: DATABASE_URL is set')
  const mode = modeOf(dataDir)
  if (mode === undefined) return warn(CHECK, `${dataDir} is not there yet`, 'the first start makes it')
  if (!statSync(dataDir).isDirectory()) return fail(CHECK, `${dataDir} is no folder`, 'set another DATA_DIR')
  if ((mode & 0o077) !== 0) {
    return fail(CHECK, `${dataDir} has mode ${octal(mode)}: others can look into it`, `chmod 700 ${dataDir}`)
  }
  const open = PRIVATE_FILES.map((name) => join(dataDir, name)).filter((file) => ((modeOf(file) ?? 0) & 0o077) !== 0)
  if (open.length > 0) return fail(CHECK, `others may read ${open.join(', ')}`, `chmod 600 ${open.join(' ')}`)
  return ok(CHECK, `${dataDir}, mode ${octal(mode)}`)
}

/** Undefined for what is not there. */
function modeOf(path: string): number | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return (stat.isSymbolicLink() ? statSync(path).mode : stat.mode) & 0o777
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
