export type Status = 'ok' | 'warn' | 'fail' | 'skip'

/** One row of the report. */
export interface Finding {
  check: string
  status: Status
  /** What is so. Never a secret. */
  found: string
  /** What to do about it. */
  advice?: string
}

export const ok = (check: string, found: string): Finding => ({ check, status: 'ok', found })

export const warn = (check: string, found: string, advice: string): Finding => ({
  check,
  status: 'warn',
  found,
  advice
})

export const fail = (check: string, found: string, advice: string): Finding => ({
  check,
  status: 'fail',
  found,
  advice
})

/** Not looked at, and why. */
export const skip = (check: string, found: string): Finding => ({ check, status: 'skip', found })
