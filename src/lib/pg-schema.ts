import { pgSchema } from 'drizzle-orm/pg-core'

/** Everything that Postern keeps lives in this schema, so that it can share a database. */
export const postern = pgSchema('postern')
