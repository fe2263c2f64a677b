const DAY = 86_400_000
const HOUR = 3_600_000

/**
 * Signing keys with a past, made as the service makes them, by a clock that is set back: one rotation weeks ago, one last
 * night. Resolves to their events, at the times that this clock had.
 */
export async function makeKeys(db, { now, secrets, schedule, createKeys }) {
  const clock = { time: now - 31 * DAY, now: () => clock.time }
  const log = { error: (details, message) => process.stderr.write(`${message} ${JSON.stringify(details)}\n`) }
  const written = []
  const events = { record: async (_tx, _client, event) => void written.push({ at: clock.time, ...event }) }
  const keys = createKeys({ db, events, clock, log, secrets, schedule })
  await keys.start()
  for (const ago of [17 * DAY, 9.5 * HOUR]) {
    clock.time = now - ago
    await keys.tick()
    await keys.rotate()
  }
  return written
}
