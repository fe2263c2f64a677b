import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Throws when `npm ci --ignore-scripts` has left postgres.js without its repairs: a lost connection could end the process. */
export function refuseUnpatchedDriver(): void {
  const source = readFileSync(fileURLToPath(import.meta.resolve('postgres')), 'utf8')
  if (source.startsWith('// Patched by Postern')) return
  throw new Error(
    'postgres.js lacks its repairs: run node scripts/patch-postgres.js, or npm ci without --ignore-scripts'
  )
}
