import type { Db } from '../../plugins/database/index.js'
import { deleteCountsBefore, findSummedUntil, findWholeHours, updateCounts } from './store.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** An event has the time of its insert, and is there a moment later. */
const GRACE_SECONDS = 60
/** The sum of a flood can wait in memory through an outage, and keeps its time: the last hours are summed up again. */
const AGAIN_MS = 2 * DAY_MS

/**
 * Sums up what is whole and not summed up yet, a day at a time and the oldest first, so that each statement is short. Does nothing
 * when that is nothing. Safe on several instances at once. Returns how many days it did.
 */
export async function sumUp(db: Db, shouldStop: () => boolean = () => false): Promise<number> {
  const done = await findSummedUntil(db)
  const { from: first, to } = await findWholeHours(db, GRACE_SECONDS)
  if (first === undefined || (done !== undefined && done >= to)) return 0
  await deleteCountsBefore(db, first)
  let days = 0
  let from = Math.max(first.getTime(), done === undefined ? 0 : done.getTime() - AGAIN_MS)
  while (from < to.getTime() && !shouldStop()) {
    const end = Math.min(from + DAY_MS, to.getTime())
    if (!(await updateCounts(db, { from: new Date(from), to: new Date(end) }))) return days
    from = end
    days += 1
  }
  return days
}
