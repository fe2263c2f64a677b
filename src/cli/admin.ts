import { Command, Option } from 'commander'
import { type Config, loadConfig, readEnvironment } from '../config.js'
import { ApiError } from '../errors.js'
import type { UserRow } from '../features/users/service.js'
import { toEmail } from './arguments.js'
import { documented, type Notes } from './documented.js'
import { choosePassword, passwordsOf } from './password.js'
import { withDatabase } from './with-database.js'

interface Options {
  promote: boolean
  passwordStdin: boolean
  json: boolean
}

const NOTES: Notes = {
  about: ['The admin makes the others at /admin/. A password has to meet the policy of the service.'],
  examples: [
    ['postern admin create ada@example.com', 'asks for a password; empty makes one and shows it'],
    ['postern admin create ada@example.com --password-stdin <password.txt', 'takes it from standard input'],
    ['postern admin create ada@example.com --promote', 'an account that is there; it keeps its password']
  ],
  exits: { 1: 'the account is there already, or is not; the password is refused; the database is away', 78: '' }
}

/** `postern admin`: makes the first admin, who makes the others at `/admin/`. */
export function adminCommand(): Command {
  const create = new Command('create')
    .description('make an admin')
    .argument('<email>', 'of the account', toEmail)
    .addOption(
      new Option('--promote', 'make an account that is there an admin, and log it out everywhere')
        .default(false)
        .conflicts('passwordStdin')
    )
    .option('--password-stdin', 'read the password from standard input', false)
    .option('--json', 'as JSON', false)
    .action(async (email: string, options: Options) => {
      const config = loadConfig(readEnvironment())
      const made = options.promote ? await promote(config, email) : await make(config, email, options)
      process.stdout.write(options.json ? toJson(made) : toText(made, options))
    })
  return new Command('admin').description('make an admin').addCommand(documented(create, NOTES))
}

interface Made {
  user: UserRow
  /** Only one that was generated: whoever chose it knows it. */
  password?: string
}

async function make(config: Config, email: string, { passwordStdin }: Options): Promise<Made> {
  const passwords = await passwordsOf(config)
  const { password, generated } = await choosePassword(passwords, email, { fromStdin: passwordStdin })
  const passwordHash = await passwords.hash(password)
  try {
    const user = await withMaker(config, (maker) => maker.create('cli', { email, passwordHash }))
    return { user, ...(generated && { password }) }
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'email_taken') throw error
    // Anybody can have signed up with it: the operator has to know that he hands the account to whoever has its password.
    throw new Error(`there is an account of ${email}: if it is yours, and its password too, use --promote`)
  }
}

async function promote(config: Config, email: string): Promise<Made> {
  const user = await withMaker(config, (maker) => maker.promote('cli', email))
  if (user === undefined) throw new Error(`there is no account of ${email}: make it without --promote`)
  return { user }
}

type Maker = ReturnType<typeof import('../features/admin/makers.js').createAdminMaker>

async function withMaker<T>(config: Config, use: (maker: Maker) => Promise<T>): Promise<T> {
  const { createAdminMaker } = await import('../features/admin/makers.js')
  const { createUsers } = await import('../features/users/service.js')
  const { record } = await import('../features/events/service.js')
  const { updateAllEnded } = await import('../features/sessions/store.js')
  const idleSeconds = Math.max(config.refreshTokenTtlSeconds, config.accessTokenTtlSeconds)
  const endSessions: Parameters<typeof createAdminMaker>[0]['endSessions'] = (tx, userId) =>
    updateAllEnded(tx, { userId }, { idleSeconds })
  return await withDatabase(config, (db) =>
    use(createAdminMaker({ db, users: createUsers({ db }), events: { record }, endSessions }))
  )
}

function toText({ user, password }: Made, { promote }: Options): string {
  const lines = [
    promote
      ? `${user.email} is an admin now, logged out everywhere; the password is the old one`
      : `${user.email} is an admin`,
    ...(password === undefined ? [] : [`password  ${password}`, 'It is shown this once.'])
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function toJson({ user, password }: Made): string {
  const { id, email, role } = user
  return `${JSON.stringify({ user_id: id, email, role, ...(password !== undefined && { password }) })}\n`
}
