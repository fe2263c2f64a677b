export interface CheckResult {
  ok: boolean
  /** For an operator; shown by `?verbose` alone. */
  detail: string
}

/** Answers within about a second and never rejects; a check that only warns stays `ok`. */
export type Check = () => CheckResult | Promise<CheckResult>

export interface Readiness {
  ready: boolean
  checks: Record<string, CheckResult>
}

export interface HealthService {
  addCheck(name: string, check: Check): void
  /** From now on not ready: the process has been told to end. */
  stop(): void
  stopping(): boolean
  readiness(): Promise<Readiness>
}

export function healthService(): HealthService {
  const checks = new Map<string, Check>()
  let stopping = false
  let running: Promise<Readiness> | undefined

  async function run(): Promise<Readiness> {
    const results = await Promise.all([...checks].map(async ([name, check]) => [name, await check()] as const))
    return { ready: results.every(([, { ok }]) => ok), checks: Object.fromEntries(results) }
  }

  return {
    addCheck: (name, check) => {
      checks.set(name, check)
    },
    stop: () => {
      stopping = true
    },
    stopping: () => stopping,
    readiness: async () => {
      // However many ask, the database is asked once: a probe must not queue up behind a database that hangs.
      running ??= run().finally(() => {
        running = undefined
      })
      const { ready, checks: results } = await running
      const process = { ok: !stopping, detail: stopping ? 'stopping' : 'running' }
      return { ready: ready && !stopping, checks: { process, ...results } }
    }
  }
}
