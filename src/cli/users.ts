import { Command } from 'commander'
import { type Config, loadConfig, readEnvironment } from '../config.js'
import type { UserDossier } from '../features/admin/users.js'
import { type EmailOrId, toEmailOrId } from './arguments.js'
import { documented, type Notes } from './documented.js'
import { eventLine } from './event-line.js'
import { textTable } from './table.js'
import { withDatabase } from './with-database.js'

const NOTES: Notes = {
  examples: [
    ['postern users show ada@example.com'],
    ['postern users show 01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a --json']
  ],
  exits: { 1: 'there is no such user, or the database is away', 78: '' }
}

/** `postern users show`: one user with live sessions and newest events, as the admin page has it. */
export function usersCommand(): Command {
  const show = new Command('show')
    .description('show a user, the live sessions and the newest events')
    .argument('<email-or-id>', 'of the user', toEmailOrId)
    .option('--json', 'as JSON, as /admin/api/users/:user_id answers it', false)
    .action(async (whom: EmailOrId, { json }: { json: boolean }) => {
      const dossier = await findDossier(loadConfig(readEnvironment()), whom)
      if (dossier === undefined) throw new Error(`there is no user ${'email' in whom ? whom.email : whom.id}`)
      const { presentDossier } = await import('../features/admin/schemas.js')
      process.stdout.write(json ? `${JSON.stringify(presentDossier(dossier))}\n` : toText(dossier))
    })
  return new Command('users').description('look at users').addCommand(documented(show, NOTES))
}

async function findDossier(config: Config, whom: EmailOrId): Promise<UserDossier | undefined> {
  const { createUsers } = await import('../features/users/service.js')
  const { createMonitoring } = await import('../features/monitoring/service.js')
  const { listLive } = await import('../features/sessions/store.js')
  const idleSeconds = Math.max(config.refreshTokenTtlSeconds, config.accessTokenTtlSeconds)
  return await withDatabase(config, async (db) => {
    const users = createUsers({ db })
    const user = 'email' in whom ? await users.findByEmail(whom.email) : await users.find(whom.id)
    if (user === undefined) return undefined
    const { events } = await createMonitoring({ db }).listEvents({ user_id: user.id }, 50)
    return { user, sessions: await listLive(db, user.id, { idleSeconds }), events }
  })
}

function toText({ user, sessions, events }: UserDossier): string {
  const facts = textTable([
    ['user', user.id],
    ['email', user.email],
    ['role', user.role],
    ['active', user.isActive ? 'yes' : 'no'],
    ['created', user.createdAt.toISOString()],
    ['last login', user.lastLogin?.toISOString() ?? 'never']
  ])
  const live = sessions.map(({ id, createdAt, lastSeenAt, ipAddress, userAgent }) => [
    id,
    createdAt.toISOString(),
    lastSeenAt.toISOString(),
    ipAddress ?? '',
    (userAgent ?? '').slice(0, 60)
  ])
  const list = textTable([['SESSION', 'BEGUN', 'LAST SEEN', 'ADDRESS', 'DEVICE'], ...live])
  const trail = textTable(events.map(eventLine))
  return `${facts}\n${live.length === 0 ? 'no live sessions\n' : list}\n${trail}`
}
