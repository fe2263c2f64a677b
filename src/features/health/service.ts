export interface CheckResult {
  ok: boolean
  /** For an operator; shown by `?verbose` alone. */
  detail: string
}

/** Looks at what is known, asks nobody, and never throws; a check that only warns stays `ok`. */
export type Check = () => CheckResult

export interface Readiness {
  ready: boolean
  checks: Record<string, CheckResult>
}

export interface HealthService {
  addCheck(name: string, check: Check): void
  /** From now on not ready: the process has been told to end. */
  stop(): void
  stopping(): boolean
  readiness(): Readiness
}

export function healthService(): HealthService {
  const checks = new Map<string, Check>()
  let stopping = false

  return {
    addCheck: (name, check) => {
      checks.set(name, check)
    },
    stop: () => {
      stopping = true
    },
    stopping: () => stopping,
    readiness: () => {
      const results = [...checks].map(([name, check]) => [name, check()] as const)
      const process = { ok: !stopping, detail: stopping ? 'stopping' : 'running' }
      return {
        ready: !stopping && results.every(([, { ok }]) => ok),
        checks: { process, ...Object.fromEntries(results) }
      }
    }
  }
}
