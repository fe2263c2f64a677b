import { Command, Option } from 'commander'
import { resolveAuthSecret } from '../auth-secret.js'
import { type Config, loadConfig, readEnvironment } from '../config.js'
import { ApiError } from '../errors.js'
import type { Keys } from '../features/keys/service.js'
import { documented, type Notes } from './documented.js'
import { keyJson, keyTable, rotationText, rotationWarning } from './keys-text.js'
import { requireDatabase } from './require-database.js'
import { withDatabase } from './with-database.js'

const AWAY = 'the database is away, or AUTH_SECRET does not open the keys'

const NOTES: Record<'list' | 'rotate' | 'revoke' | 'export', Notes> = {
  list: {
    examples: [['postern keys list'], ['postern keys list --json']],
    exits: { 1: 'the database is away', 78: '' }
  },
  rotate: {
    about: ['Running instances follow within a second.'],
    examples: [
      ['postern keys rotate', 'refused before KEY_PUBLISH_AHEAD is over'],
      ['postern keys rotate --now', 'verifiers that keep the key set refuse new tokens for a while']
    ],
    exits: { 1: `the next key was not published for long enough, or JWT_SECRET signs; ${AWAY}`, 78: '' }
  },
  revoke: {
    about: [
      'Everybody whom the key signed in has to refresh. Its tokens are refused by every instance within a second.'
    ],
    examples: [['postern keys revoke cvld24GgdGDz4Bdb6EfiWe7hYSJJ5aw29en-hATZekE']],
    exits: { 1: `there is no such key; ${AWAY}`, 78: '' }
  },
  export: {
    examples: [['postern keys export >jwks.json'], ['postern keys export --format pem', 'for what takes no JWK']],
    exits: { 1: AWAY, 78: '' }
  }
}

interface Output {
  json: boolean
}

/** `postern keys`: what signs, what will, and how to change it. Running instances follow within a second. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('see, rotate, revoke and export the signing keys')
    .addCommand(documented(listCommand(), NOTES.list))
    .addCommand(documented(rotateCommand(), NOTES.rotate))
    .addCommand(documented(revokeCommand(), NOTES.revoke))
    .addCommand(documented(exportCommand(), NOTES.export))
}

function listCommand(): Command {
  return new Command('list')
    .description('show every key there ever was, with its state')
    .option('--json', 'as JSON', false)
    .action(async ({ json }: Output) => {
      const keys = await withKeys((service) => service.list())
      process.stdout.write(json ? toJson({ keys: keys.map(keyJson) }) : keyTable(keys))
    })
}

function rotateCommand(): Command {
  return new Command('rotate')
    .description('let the next key sign from now on, once it has been published for KEY_PUBLISH_AHEAD')
    .option('--now', 'without waiting: verifiers that keep the key set refuse new tokens for a while', false)
    .option('--json', 'as JSON', false)
    .action(async ({ now, json }: Output & { now: boolean }) => {
      const { rotation, config } = await withKeys(async (service, config) => {
        return { rotation: await service.rotate({ force: now }), config }
      })
      const { previous, current, next } = rotation
      const parts = { current: keyJson(current), previous: previous && keyJson(previous), next: next && keyJson(next) }
      process.stdout.write(json ? toJson(parts) : rotationText(rotation, config.keyPublishAheadSeconds))
      process.stderr.write(rotationWarning(rotation, config.keyPublishAheadSeconds))
    })
}

/** A kid may begin with `-`, which commander takes for options; `-h…` as well, so that only `--help` helps here. */
function revokeCommand(): Command {
  return new Command('revoke')
    .description('withdraw a key, and with it every token that it signed')
    .argument('<kid>', 'from `postern keys list`, whole')
    .option('--json', 'as JSON', false)
    .helpOption('--help', 'display help for command')
    .allowUnknownOption()
    .action(async (kid: string, { json }: Output) => {
      const key = await withKeys((service) => service.revoke(kid))
      const text = `${kid} is revoked: its tokens are refused by every instance within a second.
Services that check tokens by themselves go on accepting them until they read the key set again.
`
      process.stdout.write(json ? toJson({ key: keyJson(key) }) : text)
    })
}

function exportCommand(): Command {
  const format = new Option('--format <format>', 'how').choices(['jwks', 'pem']).default('jwks')
  return new Command('export')
    .description('print the public keys, as the JWKS endpoint has them')
    .addOption(format)
    .option('--json', 'as JSON, also the PEMs', false)
    .action(async ({ format, json }: Output & { format: string }) => {
      const { jwks, pems } = await withKeys(async (service) => {
        await service.load()
        return { jwks: service.jwks(), pems: service.pems() }
      })
      if (format === 'jwks') process.stdout.write(toJson(jwks))
      else if (json) process.stdout.write(toJson({ keys: pems }))
      else process.stdout.write(pems.map(({ kid, algorithm, pem }) => `# ${algorithm} ${kid}\n${pem}`).join(''))
      if (pems.length === 0) process.stderr.write('There is nothing to export: JWT_SECRET signs, by HS256.\n')
    })
}

async function withKeys<T>(use: (keys: Keys, config: Config) => Promise<T>): Promise<T> {
  const loaded = loadConfig(readEnvironment())
  requireDatabase(loaded)
  const config = resolveAuthSecret(loaded)
  const { createKeys } = await import('../features/keys/service.js')
  const { record } = await import('../features/events/service.js')
  const { systemClock } = await import('../plugins/clock.js')
  const { keySettings } = await import('../features/keys/settings.js')
  const log = {
    error: (details: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(details)}\n`)
  }
  return await withDatabase(config, async (db) => {
    const keys = createKeys({ db, events: { record }, clock: systemClock, log, ...keySettings(config) })
    return await use(keys, config).catch((error: unknown) => {
      throw explained(error)
    })
  })
}

/** What an API says to its client is not what helps at a terminal. */
function explained(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error
  if (error.code === 'not_found') return new Error('there is no such key: see `postern keys list`')
  if (error.code === 'key_not_ready')
    return new Error(`${error.message} Wait, or see \`postern keys rotate --help\` for --now.`)
  return error.cause instanceof Error ? error.cause : error
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
