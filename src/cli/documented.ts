import type { Command } from 'commander'
import type { ExitCode } from '../lib/exit-codes.js'

export interface Notes {
  /** What there is to know before it is used: whole sentences, a line each. */
  about?: readonly string[]
  /** Command lines, each with what it is for where that does not go without saying. */
  examples: readonly (readonly [line: string, what?: string])[]
  /** Besides 0 and 64: how it may end, and with what meaning where the code's own is not enough. */
  exits: Partial<Record<ExitCode, string>>
}

const notes = new WeakMap<Command, Notes>()

/** Adds what commander has no place for to a command and to its help. The documents read it, too. */
export function documented(command: Command, given: Notes): Command {
  notes.set(command, given)
  return command.addHelpText('after', helpText(given))
}

/** Throws for a command without. */
export function notesOf(command: Command): Notes {
  const found = notes.get(command)
  if (found === undefined) throw new Error(`${command.name()} is not documented`)
  return found
}

function helpText({ about = [], examples }: Notes): string {
  const width = Math.max(...examples.map(([line]) => line.length))
  const lines = examples.map(([line, what]) => (what === undefined ? `  ${line}` : `  ${line.padEnd(width)}   ${what}`))
  return ['', ...about, ...(about.length > 0 ? [''] : []), 'Examples:', ...lines].join('\n')
}
