import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { loadConfig, readEnvironment } from '../config.js'
import { ApiError } from '../errors.js'
import { EVENT_TYPES, FAILURE_REASONS } from '../events.js'
import type { EventQuery, EventRow } from '../features/monitoring/service.js'
import { toAddressRange, toEmail, toId, toNumber, toTime } from './arguments.js'
import { documented, type Notes } from './documented.js'
import { eventLine } from './event-line.js'
import { textTable } from './table.js'
import { withDatabase } from './with-database.js'

interface Options {
  type?: string
  success?: string
  reason?: string
  ip?: string
  email?: string
  user?: string
  from?: string
  to?: string
  limit: number
  follow: boolean
  json: boolean
}

const PAUSE_MS = 1000

const NOTES: Notes = {
  about: [
    'The last line is the newest. What comes in the meantime is shown by --follow, also of a database that comes back.'
  ],
  examples: [
    ['postern events --success false --limit 100'],
    ['postern events --email ada@example.com --from 2026-01-14T00:00:00Z'],
    ['postern events --ip 203.0.113.0/24 --json'],
    ['postern events --follow', 'until Ctrl-C']
  ],
  exits: { 1: 'the database is away', 78: '', 130: 'the end of --follow' }
}

/** `postern events`: the newest of the trail, the oldest of them first, and with --follow what comes after. */
export function eventsCommand(): Command {
  const command = new Command('events')
    .description('show the newest events, the last one at the end')
    .addOption(new Option('--type <type>', 'only of this type').choices(Object.keys(EVENT_TYPES)))
    .addOption(new Option('--success <yes>', 'only what succeeded, or did not').choices(['true', 'false']))
    .addOption(new Option('--reason <reason>', 'only with this reason').choices(Object.keys(FAILURE_REASONS)))
    .option('--ip <address>', 'only from this address or network', toAddressRange)
    .option('--email <email>', 'only of this email', toEmail)
    .option('--user <id>', 'only of this user', toId)
    .option('--from <time>', 'this time or later, as 2026-01-14T09:30:00Z', toTime)
    .option('--to <time>', 'before this time', toTime)
    .option('--limit <number>', 'at most so many', toNumber(10_000), 50)
    .option('--follow', 'go on with what comes, until it is interrupted', false)
    .option('--json', 'one JSON object a line, as /admin/api/events answers it', false)
    .action(show)
  return documented(command, NOTES)
}

async function show({ limit, follow, json, user, ...given }: Options): Promise<void> {
  const config = loadConfig(readEnvironment())
  const { createMonitoring } = await import('../features/monitoring/service.js')
  const { presentEvent } = await import('../features/monitoring/schemas.js')
  const print = (rows: readonly EventRow[]): void => {
    const lines = rows.map((row) => `${JSON.stringify(presentEvent(row))}\n`)
    process.stdout.write(json ? lines.join('') : textTable(rows.map(eventLine)))
  }
  const query = { ...given, ...(user !== undefined && { user_id: user }) } as EventQuery
  await withDatabase(config, async (db) => {
    const monitoring = createMonitoring({ db })
    const next = follow ? await monitoring.follow(query) : undefined
    const { events } = await monitoring.listEvents(query, limit)
    print(events.toReversed())
    if (next === undefined) return
    const shown = new Set(events.map(({ id }) => id))
    await printForEver(next, (rows) => print(rows.filter(({ id }) => !shown.has(id))))
  })
}

/** What is away comes back; a person who watches wants to see what happens then. */
async function printForEver(next: () => Promise<EventRow[]>, print: (rows: EventRow[]) => void): Promise<never> {
  let away = false
  for (;;) {
    await sleep(PAUSE_MS)
    try {
      print(await next())
      away = false
    } catch (error) {
      if (!(error instanceof Error) || codeOf(error) !== 'unavailable') throw error
      if (!away) process.stderr.write('postern: the database is away; trying again\n')
      away = true
    }
  }
}

/** Drizzle puts its own error around ours. */
function codeOf(error: Error): unknown {
  const known = error instanceof ApiError ? error : error.cause
  return known instanceof ApiError ? known.code : undefined
}
