import { Command, Help, type Option } from 'commander'
import { EXIT_CODES } from '../lib/exit-codes.js'
import { version } from '../lib/version.js'
import { adminCommand } from './admin.js'
import { doctorCommand } from './doctor.js'
import { eventsCommand } from './events.js'
import { keysCommand } from './keys.js'
import { migrateCommand } from './migrate.js'
import { secretCommand } from './secret.js'
import { serveCommand } from './serve.js'
import { smokeCommand } from './smoke.js'
import { throttleCommand } from './throttle.js'
import { usersCommand } from './users.js'

const COMMANDS = [
  serveCommand,
  migrateCommand,
  secretCommand,
  doctorCommand,
  smokeCommand,
  adminCommand,
  keysCommand,
  usersCommand,
  eventsCommand,
  throttleCommand
]

/** `postern`, with every command. It throws CommanderError, after its line, for a command line that means nothing. */
export function createProgram(): Command {
  const program = new Command('postern')
    .description('A standalone authentication service. Settings come from the environment: see .env.example.')
    .version(version)
    .addHelpText('after', exitCodes())
  for (const create of COMMANDS) program.addCommand(create())
  everyCommand(program).forEach(speakAsOthers)
  return program
}

/** The command and all below it, each before its own. */
export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}

/** Every line of ours on standard error begins alike, whoever wrote it. */
function speakAsOthers(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'postern: ')) })
    .configureHelp({ optionDescription })
}

/** That a switch is off until it is set goes without saying. */
function optionDescription(option: Option): string {
  return new Help().optionDescription(option).replace(/ \(default: false\)$/, '')
}

function exitCodes(): string {
  const lines = Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code.padEnd(4)}${meaning}`)
  return ['', 'Exit codes:', ...lines].join('\n')
}
