interface Range {
  type: string
  quality: number
}

const QUALITY = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/

/**
 * Which of the `offered` media types an `Accept` header prefers (RFC 9110, section 12.5.1); among equals, and where none is
 * acceptable, the first one.
 */
export function preferredType<Type extends string>(
  accept: string | undefined,
  offered: readonly [Type, ...Type[]]
): Type {
  const ranges = (accept ?? '').split(',').map(rangeOf)
  let best = offered[0]
  let bestQuality = 0
  for (const type of offered) {
    const quality = qualityOf(type, ranges)
    if (quality > bestQuality) [best, bestQuality] = [type, quality]
  }
  return best
}

function rangeOf(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1'
  return { type, quality: QUALITY.test(given) ? Number(given) : 0 }
}

/** The most specific range decides. */
function qualityOf(type: string, ranges: Range[]): number {
  const forms = [type, `${type.split('/')[0]}/*`, '*/*']
  const found = forms.map((form) => ranges.find((range) => range.type === form)).find((range) => range !== undefined)
  return found?.quality ?? 0
}
