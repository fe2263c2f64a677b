#!/usr/bin/env node
import { Command } from 'commander'
import { version } from '../lib/version.js'
import { adminCommand } from './admin.js'
import { doctorCommand } from './doctor.js'
import { eventsCommand } from './events.js'
import { failure } from './failure.js'
import { keysCommand } from './keys.js'
import { migrateCommand } from './migrate.js'
import { secretCommand } from './secret.js'
import { serveCommand } from './serve.js'
import { smokeCommand } from './smoke.js'
import { throttleCommand } from './throttle.js'
import { usersCommand } from './users.js'

const program = new Command('postern')
  .description('A standalone authentication service. Settings come from the environment: see .env.example.')
  .version(version)
  .addCommand(serveCommand())
  .addCommand(migrateCommand())
  .addCommand(doctorCommand())
  .addCommand(smokeCommand())
  .addCommand(keysCommand())
  .addCommand(adminCommand())
  .addCommand(usersCommand())
  .addCommand(eventsCommand())
  .addCommand(throttleCommand())
  .addCommand(secretCommand())

try {
  await program.parseAsync()
} catch (error) {
  const { message, exitCode } = failure(error)
  process.stderr.write(`postern: ${message}\n`)
  // Not `process.exitCode`: what a failed start has left open must not keep the process.
  process.exit(exitCode)
}
