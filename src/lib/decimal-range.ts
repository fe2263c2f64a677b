/**
 * The source of an anchored pattern that matches exactly the plain decimal spellings of the integers from
 * `minimum` to `maximum`: no sign, no leading zero, no exponent. Both bounds are positive integers.
 */
export function decimalRange(minimum: number, maximum: number): string {
  const parts: string[] = []
  for (let next = minimum; next <= maximum; ) {
    const { step, zeros } = widestStep(next, maximum)
    const prefix = next / step
    const first = prefix % 10
    const last = Math.min(9, first + Math.floor((maximum - next + 1) / step) - 1)
    const head = prefix < 10 ? '' : String(Math.floor(prefix / 10))
    parts.push(head + (first === last ? first : `[${first}-${last}]`) + '[0-9]'.repeat(zeros))
    next += (last - first + 1) * step
  }
  return `^(?:${parts.join('|')})$`
}

/** The largest power of ten whose block of numbers begins at `next` and ends by `maximum`. */
function widestStep(next: number, maximum: number): { step: number; zeros: number } {
  let step = 1
  let zeros = 0
  while (next % (step * 10) === 0 && next + step * 10 - 1 <= maximum) {
    step *= 10
    zeros += 1
  }
  return { step, zeros }
}
