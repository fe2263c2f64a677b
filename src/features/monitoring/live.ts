import { Readable } from 'node:stream'
import { unavailable } from '../../errors.js'
import type { EmailView } from '../../lib/email-view.js'
import type { Db } from '../../plugins/database/index.js'
import { presentEvent } from './schemas.js'
import { type EventRow, listEvents } from './store.js'

export type Live = ReturnType<typeof createLive>

interface LiveDeps {
  db: Db
  /** Whether this token is that of an admin still. Rejects when it is not, or when that cannot be known. */
  check(token: string): Promise<boolean>
  everyMs?: number
}

interface Viewer {
  token: string
  emails: EmailView
  stream: Readable
  openedAtMs: number
  /** The ids of the round before: an event that is not among them, and is now, has come. */
  seen: ReadonlySet<string>
}

/** So many events can come in one round; of more the newest. */
const ROUND = 100
const MOST_VIEWERS = 20
/** A reader who is slower than that misses what comes meanwhile, and is told so. */
const MOST_WAITING_BYTES = 256 * 1024
/** A stream of ten minutes is one event in the trail; whoever still looks then opens another. */
const LONGEST_MS = 600_000

const MISSED = `${JSON.stringify({ missed: true })}\n`

/**
 * The trail as it grows. However many look on, an instance asks the database once a second, and not at all when nobody
 * does; each reader's token is checked anew before anything is sent.
 */
export function createLive({ db, check, everyMs = 1000 }: LiveDeps) {
  const viewers = new Set<Viewer>()
  const rounds = createRounds(everyMs, () => viewers.size > 0, round)

  const newest = (): Promise<EventRow[]> => listEvents(db, {}, { before: undefined, limit: ROUND }).then((rows) => rows)

  async function round(): Promise<void> {
    try {
      const rows = await newest()
      await Promise.all([...viewers].map((viewer) => send(viewer, rows)))
    } catch (error) {
      for (const { stream } of viewers) stream.destroy(error as Error)
    }
  }

  async function send(viewer: Viewer, rows: EventRow[]): Promise<void> {
    const isGood = await check(viewer.token).catch(() => false)
    const isOver = performance.now() - viewer.openedAtMs > LONGEST_MS
    // Whoever has gone meanwhile is not sent to.
    if (!viewers.has(viewer)) return
    if (!isGood || isOver) return end(viewer)
    if (viewer.stream.readableLength <= MOST_WAITING_BYTES) push(viewer, rows)
  }

  function end(viewer: Viewer): void {
    viewers.delete(viewer)
    viewer.stream.push(null)
  }

  return {
    /**
     * Events one a line, the newest `backlog` first of all, then what comes. It ends when the token is good no more, and after
     * ten minutes. Rejects with `unavailable`, also where too many look on.
     */
    async open({ token, emails, backlog }: { token: string; emails: EmailView; backlog: number }): Promise<Readable> {
      const rows = await newest()
      if (viewers.size >= MOST_VIEWERS) throw unavailable(new Error('too many look at the live trail of this instance'))
      const stream = createStream(() => viewers.delete(viewer))
      const older = new Set(rows.slice(backlog).map(({ id }) => id))
      const viewer: Viewer = { token, emails, stream, openedAtMs: performance.now(), seen: older }
      viewers.add(viewer)
      push(viewer, rows)
      rounds.start()
      return stream
    },

    /** Ends every stream in order. */
    close(): void {
      for (const viewer of viewers) end(viewer)
    }
  }
}

function createStream(onGone: () => void): Readable {
  return new Readable({
    read: () => undefined,
    destroy: (error, done) => {
      onGone()
      done(error)
    }
  })
}

/** Calls `round`, which never rejects, again and again for as long as there is need. */
function createRounds(everyMs: number, isNeeded: () => boolean, round: () => Promise<void>): { start(): void } {
  let isRunning = false

  function next(): void {
    setTimeout(async () => {
      await round()
      isRunning = isNeeded()
      if (isRunning) next()
    }, everyMs).unref()
  }

  return {
    start() {
      if (!isRunning) next()
      isRunning = true
    }
  }
}

/** An empty line closes each round, so that the reader, and a proxy between, knows that the stream lives. */
function push(viewer: Viewer, rows: EventRow[]): void {
  const fresh = rows.filter(({ id }) => !viewer.seen.has(id)).reverse()
  const missed = fresh.length === ROUND ? MISSED : ''
  const lines = fresh.map((row) => `${JSON.stringify(presentEvent(row, viewer.emails))}\n`)
  viewer.seen = new Set(rows.map(({ id }) => id))
  viewer.stream.push(`${missed}${lines.join('')}\n`)
}
