// Fills an empty database with a month of believable traffic, an attack in it, and starts the service on it.
// Usage: npm run demo            an embedded database under .postern-demo (or DATA_DIR)
//        DATABASE_URL=… AUTH_SECRET=… npm run demo
//        npm run demo -- --people 100
// It refuses a database that has users. To start it again without filling: DATA_DIR=.postern-demo npm start
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { attack } from './demo/attack.js'
import { createChance } from './demo/chance.js'
import { fill } from './demo/fill.js'
import { goOn } from './demo/go-on.js'
import { makeKeys } from './demo/keys.js'
import { live } from './demo/life.js'
import { createPeople } from './demo/people.js'

const DAY = 86_400_000
const chance = createChance(20_260_114)
const ADMIN = 'duty@example.com'

const { people: number, built } = new Command('demo')
  .description('fill an empty database with a month of traffic and an attack, and start the service on it')
  .option('--people <number>', 'how many', (text) => Math.max(20, Number.parseInt(text, 10) || 0), 4200)
  .option('--built <folder>', 'where the compiled service is', new URL('../dist', import.meta.url).pathname)
  .parse()
  .opts()

const load = (path) => import(pathToFileURL(join(built, path)).href)
const { loadConfig, readEnvironment } = await load('config.js')
const { resolveAuthSecret } = await load('auth-secret.js')
const { failure } = await load('cli/failure.js')

try {
  const config = resolveAuthSecret(loadConfig({ DATA_DIR: '.postern-demo', ...readEnvironment() }))
  if (config.production) throw new Error('this is for a demonstration, and NODE_ENV is production')
  await start(config, await seed(config))
} catch (error) {
  const { message, exitCode } = failure(error)
  process.stderr.write(`demo: ${message}\n`)
  process.exit(exitCode)
}

/** Resolves to who is there now, and the admin's password, which is shown once and kept nowhere. */
async function seed(config) {
  const { withDatabaseUrl } = await load('cli/with-database.js')
  const { migrateDatabase } = await load('plugins/database/migrate.js')
  return await withDatabaseUrl(config, async (url) => {
    await migrateDatabase(url)
    return await withSql(url, async (sql) => {
      const [{ users }] = await sql`select count(*)::int as users from postern.users`
      if (users > 0) throw new Error(`this database has ${users} users already: take an empty one, or another DATA_DIR`)
      return await write(config, url, sql)
    })
  })
}

/** As the service connects, TLS and sockets included. */
async function withSql(url, use) {
  const { parseDatabaseUrl } = await load('lib/database-url.js')
  const { Dialer } = await load('plugins/database/dialer.js')
  const { openSessions } = await load('plugins/database/pool.js')
  const target = parseDatabaseUrl(url)
  const dialer = new Dialer(target)
  const sql = openSessions(target, dialer, { connectMs: 10_000, deadlineMs: 120_000, max: 1, prepare: false })
  try {
    return await use(sql)
  } finally {
    await sql.end({ timeout: 1 })
    dialer.close()
  }
}

async function write(config, url, sql) {
  const now = Date.now()
  const span = { from: now - 30 * DAY, to: now }
  const people = createPeople(chance, { number, ...span })
  const record = { events: [], sessions: [], people }
  for (const person of people) live(chance, person, span, record)
  const victims = people.filter(({ since, places, habit }) => since < span.from && places.length > 1 && habit > 0.4)
  attack(chance, victims.slice(0, 400), span, record)
  record.events.push(...restarts(now), ...(await keyEvents(config, url, now)))
  await fill(sql, { ...record, now, refreshKeyId: await refreshKeyId(config) }, progress())
  return { ...record, password: await makeAdmin(config, url) }
}

/** The service came up before the month, and has been updated twice since. */
function restarts(now) {
  return [30.9, 20.8, 8.3].map((days) => ({
    at: now - days * DAY,
    type: 'service_started',
    success: true,
    details: { version: '0.1.0' }
  }))
}

async function keyEvents(config, url, now) {
  const { withDb } = await load('plugins/database/once.js')
  const { createKeys } = await load('features/keys/service.js')
  const { keySettings } = await load('features/keys/settings.js')
  return await withDb(url, (db) => makeKeys(db, { now, ...keySettings(config), createKeys }))
}

async function refreshKeyId(config) {
  const { createRefreshTokens } = await load('lib/refresh-token.js')
  return createRefreshTokens({ secret: config.authSecret }).keyId
}

async function makeAdmin(config, url) {
  const { withDb } = await load('plugins/database/once.js')
  const { createAdminMaker } = await load('features/admin/makers.js')
  const { createUsers } = await load('features/users/service.js')
  const { record } = await load('features/events/service.js')
  const { default: bcrypt } = await import('@node-rs/bcrypt')
  const password = `Demo-${randomBytes(9).toString('base64url')}-1a`
  const passwordHash = await bcrypt.hash(password, config.bcryptCost)
  await withDb(url, (db) =>
    createAdminMaker({ db, users: createUsers({ db }), events: { record }, endSessions: async () => 0 }).create('cli', {
      email: ADMIN,
      passwordHash
    })
  )
  return password
}

/** On a terminal one line that changes; in a pipe nothing. */
function progress() {
  if (process.stderr.isTTY !== true) return () => undefined
  return (label, done, all) => {
    const end = done === all ? '\n' : ''
    process.stderr.write(`\r${label.padEnd(10)}${String(done).padStart(7)} of ${all}${end}`)
  }
}

async function start(config, { password, ...record }) {
  const { createLogger } = await load('plugins/logger.js')
  const { serve } = await load('server.js')
  const terminal = process.stdout.isTTY === true
  const logger = await createLogger({ level: config.logLevel, pretty: terminal })
  const app = await serve(config, { logger, terminal })
  goOn(app, record, chance)
  const { port } = app.server.address()
  process.stdout.write(
    `\n  page      http://localhost:${port}/admin/\n  email     ${ADMIN}\n  password  ${password}\n\n`
  )
}
