import type { Db } from '../../plugins/database/index.js'
import {
  type AddressRow,
  type CountRow,
  countUsers,
  findBucketStart,
  findSummedUntil,
  findTime,
  listCounts,
  listTopAddresses
} from './store.js'
import { readStatsSpan } from './window.js'

const HOUR_SECONDS = 3600
const TOP_ADDRESSES = 10

export interface Stats {
  from: Date
  to: Date
  bucketSeconds: number
  /** How many users there are now. */
  users: number
  /** By bucket, the oldest first; a bucket in which nothing happened is not there. */
  counts: CountRow[]
  /** The same kinds in as many buckets before. */
  previousFrom: Date
  previous: CountRow[]
  topAddresses: AddressRow[]
}

/** Throws `invalid_request`. The last bucket is the one of now, and not over. */
export async function readStats(db: Db, window: string | undefined, bucket: string | undefined): Promise<Stats> {
  const { windowSeconds, bucketSeconds } = readStatsSpan(window, bucket)
  const to = await findTime(db)
  const from = await findBucketStart(db, windowSeconds, bucketSeconds)
  const buckets = Math.ceil((to.getTime() - from.getTime()) / 1000 / bucketSeconds)
  const previousFrom = new Date(from.getTime() - buckets * bucketSeconds * 1000)
  const isCoarse = bucketSeconds % HOUR_SECONDS === 0
  const summedUntil = (isCoarse ? await findSummedUntil(db) : undefined) ?? previousFrom
  const rows = await listCounts(db, { from: previousFrom, to }, { bucketSeconds, summedUntil })
  return {
    from,
    to,
    bucketSeconds,
    users: await countUsers(db),
    counts: rows.filter(({ at }) => at >= from),
    previousFrom,
    previous: rows.filter(({ at }) => at < from),
    topAddresses: await listTopAddresses(db, { from, to }, TOP_ADDRESSES)
  }
}
