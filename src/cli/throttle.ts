import { Command } from 'commander'
import { loadConfig, readEnvironment } from '../config.js'
import type { Overview, Throttle } from '../features/throttle/service.js'
import { toEmail, toNumber } from './arguments.js'
import { documented, type Notes } from './documented.js'
import { textTable } from './table.js'
import { withDatabase } from './with-database.js'

const DEFAULT_LIMIT = 100
const MOST = 10_000

const LIST_NOTES: Notes = {
  examples: [['postern throttle list'], ['postern throttle list --all --limit 1000 --json', 'also who need not wait']],
  exits: { 1: 'the database is away', 78: '' }
}

const CLEAR_NOTES: Notes = {
  about: ['It is on record: an event throttle_cleared. An email that nobody waits for is no failure.'],
  examples: [['postern throttle clear ada@example.com'], ['postern throttle clear ada@example.com --json']],
  exits: { 1: 'the database is away', 78: '' }
}

/** `postern throttle`: who has to wait after failed logins, and how an operator lifts it. */
export function throttleCommand(): Command {
  const list = new Command('list')
    .description('show who has to wait, the longest first')
    .option('--all', 'also those who have failed and need not wait', false)
    .option('--limit <number>', 'at most so many', toNumber(MOST), DEFAULT_LIMIT)
    .option('--json', 'as JSON', false)
    .action(async ({ all, limit, json }: { all: boolean; limit: number; json: boolean }) => {
      const found = await withThrottle((throttle) => throttle.list({ all, limit }))
      process.stdout.write(json ? toJson(found) : toTable(found))
    })
  const clear = new Command('clear')
    .description('lift the waits of an email, from every address, and forget its failures')
    .argument('<email>', 'of the account', toEmail)
    .option('--json', 'as JSON', false)
    .action(async (email: string, { json }: { json: boolean }) => {
      const cleared = await withThrottle((throttle) => throttle.clear(undefined, email))
      const text = cleared === 0 ? `nothing to clear for ${email}` : `${email} can log in at once`
      process.stdout.write(json ? `${JSON.stringify({ email, cleared })}\n` : `${text}\n`)
    })
  return new Command('throttle')
    .description('see and lift the waits after failed logins')
    .addCommand(documented(list, LIST_NOTES))
    .addCommand(documented(clear, CLEAR_NOTES))
}

async function withThrottle<T>(use: (throttle: Throttle) => Promise<T>): Promise<T> {
  const config = loadConfig(readEnvironment())
  const { createThrottle } = await import('../features/throttle/service.js')
  const { record } = await import('../features/events/service.js')
  return await withDatabase(config, (db) => use(createThrottle({ db, events: { record } })))
}

function toJson({ counts, total }: Overview): string {
  const rows = counts.map(({ email, addressKey, userId, failures, waitSeconds, attemptedAt }) => ({
    email,
    user_id: userId,
    address: addressKey === '' ? null : addressKey,
    failures,
    wait_seconds: waitSeconds,
    last_attempt: attemptedAt.toISOString()
  }))
  return `${JSON.stringify({ counts: rows, total })}\n`
}

function toTable({ counts, total }: Overview): string {
  if (total === 0) return 'nobody\n'
  const head = ['EMAIL', 'ACCOUNT', 'COUNTED FOR', 'FAILURES', 'HAS TO WAIT', 'LAST ATTEMPT']
  const rows = counts.map((count) => [
    count.email,
    count.userId === null ? 'none' : 'yes',
    count.addressKey === '' ? 'unknown addresses' : count.addressKey,
    String(count.failures),
    count.waitSeconds === 0 ? 'no' : `${count.waitSeconds} s`,
    count.attemptedAt.toISOString()
  ])
  const rest = total > counts.length ? `and ${total - counts.length} more\n` : ''
  return textTable([head, ...rows]) + rest
}
