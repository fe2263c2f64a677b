import { Readable } from 'node:stream'
import { csvRecord } from '../../lib/csv.js'
import type { EmailView } from '../../lib/email-view.js'
import type { EventPosition } from '../../lib/event-cursor.js'
import type { Db } from '../../plugins/database/index.js'
import type { EventSearch } from './filter.js'
import { type AdminEvent, presentEvent } from './schemas.js'
import { type EventRow, listEvents } from './store.js'

export type ExportFormat = 'ndjson' | 'csv'

export interface ExportOptions {
  format: ExportFormat
  /** Everything without it. */
  limit?: number | undefined
  /** Shown without it. */
  emails?: EmailView
}

const BATCH = 500

const COLUMNS = [
  'event_id',
  'created_at',
  'event_type',
  'success',
  'failure_reason',
  'user_id',
  'email',
  'session_id',
  'ip_address',
  'user_agent',
  'request_id',
  'details'
] as const satisfies (keyof AdminEvent)[]

interface Writer {
  head: string
  line(event: AdminEvent): string
}

const WRITERS: Record<ExportFormat, Writer> = {
  ndjson: { head: '', line: (event) => `${JSON.stringify(event)}\n` },
  csv: { head: csvRecord(COLUMNS), line: (event) => csvRecord(COLUMNS.map((column) => cell(event[column]))) }
}

function cell(value: AdminEvent[keyof AdminEvent]): string | null {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value === null ? null : String(value)
}

/**
 * Everything that matches, newest first, as a stream. However many rows and readers there are, memory holds a batch or
 * two for each reader, and all of them together use one connection, each for one short statement at a time: a
 * reader that is slow, or stops, holds nothing.
 */
export function createExport(db: Db) {
  let last: Promise<unknown> = Promise.resolve()

  function inTurn<T>(work: () => PromiseLike<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.then(
      () => undefined,
      () => undefined
    )
    return turn
  }

  /** Rejects before the first byte when the database is away; a stream that fails later breaks off. */
  return async (
    { filter, before }: EventSearch,
    { format, limit = Number.POSITIVE_INFINITY, emails }: ExportOptions
  ) => {
    const batch = (from: EventPosition | undefined, most: number): Promise<EventRow[]> =>
      inTurn(() => listEvents(db, filter, { before: from, limit: Math.min(BATCH, most) }))
    const { head, line } = WRITERS[format]

    async function* text(first: EventRow[]): AsyncGenerator<string> {
      let left = limit
      let rows = first
      yield head
      while (rows.length > 0) {
        yield rows.map((row) => line(presentEvent(row, emails))).join('')
        left -= rows.length
        rows = rows.length < BATCH || left <= 0 ? [] : await batch(rows.at(-1), left)
      }
    }

    return Readable.from(text(await batch(before, limit)))
  }
}
