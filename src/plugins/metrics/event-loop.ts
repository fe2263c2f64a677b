const EVERY_MS = 100
/** Of one halt: a machine that slept for an hour tells nothing about the next request. */
const MOST_SAMPLES = 100

/**
 * Tells ten times a second how late a timer is, in seconds: what a request would have waited that arrived then. A halt
 * counts once for each tenth of a second that it took, since whoever arrived in it waited, too.
 */
export function eventLoopSampler(tell: (seconds: number) => void): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined
  let startedAt = 0

  function start(): void {
    startedAt = performance.now()
    timer = setTimeout(sample, EVERY_MS).unref()
  }

  function sample(): void {
    const lateMs = Math.max(0, performance.now() - startedAt - EVERY_MS)
    const samples = Math.min(MOST_SAMPLES, Math.ceil((lateMs + 1) / EVERY_MS))
    for (let index = 0; index < samples; index += 1) tell((lateMs - index * EVERY_MS) / 1000)
    start()
  }

  return { start, stop: () => clearTimeout(timer) }
}
