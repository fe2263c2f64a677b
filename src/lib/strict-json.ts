const MAX_DEPTH = 32

/** A parser further on that merges objects must not be led to write to a prototype. */
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type JsonFault =
  | 'invalid_utf8'
  | 'invalid_json'
  | 'duplicate_key'
  | 'forbidden_key'
  | 'too_deep'
  | 'forbidden_character'
  | 'number_out_of_range'

/** The text is not JSON as this service takes it. `path` leads to the value at fault, where there is one. */
export class StrictJsonError extends Error {
  constructor(
    readonly fault: JsonFault,
    readonly path: readonly (string | number)[] = []
  ) {
    super(fault)
    this.name = 'StrictJsonError'
  }
}

/**
 * Parses JSON (RFC 8259) and refuses what two parsers might read differently (RFC 7493, I-JSON): invalid UTF-8, a
 * byte order mark, a key twice in one object in any spelling, a lone surrogate, a number beyond the doubles. Also
 * refused: NUL in a string, which PostgreSQL cannot store, prototype keys, and nesting deeper than 32.
 * Throws StrictJsonError. Never changes a value.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  const value = parse(text)
  const keys = inspect(value, [])
  // JSON.parse keeps the last of equal keys; a key for each colon means that none was dropped.
  if (keys !== countColons(text)) throw new StrictJsonError('duplicate_key')
  return value
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new StrictJsonError('invalid_utf8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new StrictJsonError('invalid_json')
  }
}

/** Returns the number of keys in the tree. The depth limit is what bounds the recursion. */
function inspect(value: unknown, path: (string | number)[]): number {
  if (typeof value === 'string') return inspectText(value, path)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new StrictJsonError('number_out_of_range', path)
  if (typeof value !== 'object' || value === null) return 0
  if (path.length >= MAX_DEPTH) throw new StrictJsonError('too_deep')
  let keys = 0
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) keys += inspect(item, [...path, index])
    return keys
  }
  for (const [key, item] of Object.entries(value)) {
    if (PROTOTYPE_KEYS.has(key)) throw new StrictJsonError('forbidden_key', path)
    inspectText(key, path)
    keys += 1 + inspect(item, [...path, key])
  }
  return keys
}

function inspectText(text: string, path: (string | number)[]): 0 {
  if (text.includes('\0') || /\p{Surrogate}/u.test(text)) throw new StrictJsonError('forbidden_character', path)
  return 0
}

/** Colons outside strings, in a text that is known to be JSON. */
function countColons(text: string): number {
  let colons = 0
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index)
    if (character === 0x3a) colons += 1
    else if (character === 0x22) index = endOfString(text, index + 1)
  }
  return colons
}

/** The index of the quote that closes the string whose content begins at `start`. */
function endOfString(text: string, start: number): number {
  let index = start
  while (text.charCodeAt(index) !== 0x22) index += text.charCodeAt(index) === 0x5c ? 2 : 1
  return index
}
