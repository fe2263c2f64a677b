import { editDistance } from '../lib/edit-distance.js'
import type { Environment } from './read.js'
import { SETTINGS, type Setting } from './table.js'

const NAMES = Object.values<Setting>(SETTINGS).flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]))

/** Short names are near to many that mean something else. */
const MIN_LENGTH = 7

/** Prefixes that are ours: what begins so and is no setting is a mistake, however far from one. */
const OWN = /^(AUTH|POSTERN|RATE_LIMIT)_/

/** Variables that look like a setting with a slip in its name, which would silently keep its default. */
export function misspelled(env: Environment): { name: string; meant: string | undefined }[] {
  const unknown = Object.keys(env).filter((name) => env[name] !== undefined && !NAMES.includes(name))
  return unknown
    .map((name) => ({ name, meant: nearest(name) }))
    .filter(({ name, meant }) => meant !== undefined || OWN.test(name))
}

function nearest(name: string): string | undefined {
  if (name.length < MIN_LENGTH) return undefined
  const near = NAMES.filter((known) => known.length >= MIN_LENGTH && editDistance(name, known) <= 2)
  return near.sort((one, other) => editDistance(name, one) - editDistance(name, other))[0]
}
