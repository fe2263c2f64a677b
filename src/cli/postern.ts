#!/usr/bin/env node
import { CommanderError } from 'commander'
import { EXIT_WRONG_USAGE } from '../lib/exit-codes.js'
import { failure } from './failure.js'
import { createProgram } from './program.js'

const program = createProgram().hook('preAction', (_program, command) => {
  if (command.name() !== 'serve') endQuietlyWithoutReader()
})

try {
  await program.parseAsync()
} catch (error) {
  // What was wrong, or the help that was asked for, has been written by then.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : EXIT_WRONG_USAGE)
  const { message, exitCode } = failure(error)
  process.stderr.write(`postern: ${message}\n`)
  // Not `process.exitCode`: what a failed start has left open must not keep the process.
  process.exit(exitCode)
}

/** `postern events | head` is no failure. A service goes on without anybody who reads its log. */
function endQuietlyWithoutReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1)
  })
}
