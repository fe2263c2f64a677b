const MAX_CHARACTERS = 64

/** More in one answer would only make a small request into a large answer. */
export const MAX_FAULTS = 100

/** The dotted path by which an answer names a field. Names that the caller made up are cut to 64 characters. */
export function fieldName(...path: (string | number)[]): string {
  return path.map((name) => Array.from(String(name)).slice(0, MAX_CHARACTERS).join('')).join('.')
}
