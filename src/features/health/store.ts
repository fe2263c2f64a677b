import { sql } from 'drizzle-orm'
import type { Db } from '../../plugins/database/index.js'

/** One round trip to the database; rejects when there is none. */
export async function ping(db: Db): Promise<void> {
  await db.execute(sql`select 1`)
}
