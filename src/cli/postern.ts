#!/usr/bin/env node
import { Command } from 'commander'
import { version } from '../lib/version.js'
import { failure } from './failure.js'
import { migrateCommand } from './migrate.js'
import { secretCommand } from './secret.js'
import { serveCommand } from './serve.js'

const program = new Command('postern')
  .description('A standalone authentication service. Settings come from the environment: see .env.example.')
  .version(version)
  .addCommand(serveCommand())
  .addCommand(migrateCommand())
  .addCommand(secretCommand())

try {
  await program.parseAsync()
} catch (error) {
  const { message, exitCode } = failure(error)
  process.stderr.write(`postern: ${message}\n`)
  // Not `process.exitCode`: what a failed start has left open must not keep the process.
  process.exit(exitCode)
}
