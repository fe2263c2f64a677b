import { randomInt } from 'node:crypto'
import type { Db } from '../../plugins/database/index.js'
import type { EventLog } from './service.js'
import { deleteExpiredPartitions, insertPartitions } from './store.js'

const MONTHS_AHEAD = 3
const HOUR_MS = 3_600_000

interface HousekeepingDeps {
  db: Db
  retentionSeconds: number
  log: EventLog
}

export type Housekeeping = ReturnType<typeof createHousekeeping>

/** Keeps a partition for every event of the coming months, and none for those that are older than the retention. */
export function createHousekeeping({ db, retentionSeconds, log }: HousekeepingDeps) {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  const makeAhead = (): Promise<void> => insertPartitions(db, MONTHS_AHEAD)

  /** Makes what will be needed, then drops what is too old. Safe on several instances at once. */
  async function run(): Promise<void> {
    await makeAhead()
    for (const partition of await deleteExpiredPartitions(db, retentionSeconds)) {
      log.info({ partition }, 'events older than EVENTS_RETENTION were dropped')
    }
  }

  /** Instances that started together do not come at the same moment. */
  function schedule(afterMs: number): void {
    timer = setTimeout(() => {
      running = run().catch((error) => log.error({ err: error }, 'the partitions of the events were not looked after'))
      schedule(HOUR_MS + randomInt(HOUR_MS / 10))
    }, afterMs).unref()
  }

  return {
    run,
    /** Rejects when there is no place for the events of now. May be called again. */
    async start(): Promise<void> {
      await makeAhead()
      clearTimeout(timer)
      schedule(randomInt(HOUR_MS / 60))
    },
    async stop(): Promise<void> {
      clearTimeout(timer)
      await running
      clearTimeout(timer)
    }
  }
}
