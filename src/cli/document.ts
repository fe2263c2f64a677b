import type { Argument, Command, Option } from 'commander'
import { EXIT_CODES, EXIT_WRONG_USAGE } from '../lib/exit-codes.js'
import { notesOf } from './documented.js'
import { everyCommand } from './program.js'

/** The commands that do something, in the order of the help. */
export function leaves(program: Command): Command[] {
  return everyCommand(program).filter(({ commands }) => commands.length === 0)
}

/** As it is typed: `postern keys rotate`. */
export function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`
}

const MOST_CHOICES = 8

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/<(\S+)>/g, '`<$1>`')

function argumentRow(argument: Argument): string {
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`
  return `| \`${name}\` | ${cell(argument.description)} | |`
}

function optionRow({ flags, description, defaultValue, defaultValueDescription, argChoices }: Option): string {
  const allowed = argChoices === undefined ? '' : `: ${choicesText(argChoices)}`
  const shown =
    defaultValueDescription ?? (defaultValue === false || defaultValue === undefined ? '' : String(defaultValue))
  return `| \`${flags.replaceAll('|', '\\|')}\` | ${cell(description)}${allowed} | ${shown} |`
}

/** The closed lists of the trail have a document of their own. */
function choicesText(choices: string[]): string {
  return choices.length > MOST_CHOICES ? 'one of [events.md](events.md)' : choices.map((one) => `\`${one}\``).join(', ')
}

function section(command: Command): string {
  const { about = [], examples, exits } = notesOf(command)
  const rows = [...command.registeredArguments.map(argumentRow), ...command.options.map(optionRow)]
  const table = rows.length === 0 ? [] : ['', '| argument or option | | default |', '|---|---|---|', ...rows]
  const width = Math.max(...examples.map(([line]) => line.length))
  const lines = examples.map(([line, what]) => (what === undefined ? line : `${line.padEnd(width)}   # ${what}`))
  const codes = Object.entries({ ...exits, 0: exits[0] ?? '', [EXIT_WRONG_USAGE]: '' })
  const ends = codes.map(([code, meaning]) => `${code}${meaning === '' ? '' : ` (${meaning})`}`)
  const text = about.length === 0 ? [] : ['', about.join(' ')]
  const title = [`### ${nameOf(command)}`, '', `${capital(command.description())}.`]
  return [...title, ...text, ...table, '', '```sh', ...lines, '```', '', `Ends with ${ends.join(', ')}.`].join('\n')
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** The part of docs/cli.md that follows from the commands themselves. */
export function commandsText(program: Command): string {
  const codes = Object.entries(EXIT_CODES).map(([code, meaning]) => `| ${code} | ${meaning} |`)
  const head = ['## Exit codes', '', '| code | |', '|---|---|', ...codes, '', '## Commands']
  return [head.join('\n'), ...leaves(program).map(section)].join('\n\n')
}

const MARKED = /(<!-- commands -->)[\s\S]*?(<!-- \/commands -->)/

/** The text with that part between `<!-- commands -->` and `<!-- /commands -->`. */
export function withCommands(text: string, program: Command): string {
  return text.replace(MARKED, (_match, begin, end) => `${begin}\n\n${commandsText(program)}\n\n${end}`)
}
