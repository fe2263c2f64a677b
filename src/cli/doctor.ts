import { Command, Option } from 'commander'
import { readEnvironment } from '../config.js'
import { EXIT_INTERRUPTED } from '../lib/exit-codes.js'
import { toBaseUrl, toPath } from './arguments.js'
import { documented, type Notes } from './documented.js'
import { createProgress } from './progress.js'

interface Options {
  through?: string
  protected: string[]
  json: boolean
}

const NOTES: Notes = {
  about: [
    'It reads the settings as the service does, so run it where the service gets them. By itself it changes nothing.',
    'With --through it makes an account (doctor-…@postern.invalid) in the database, logs in to it twice by way of the gateway,',
    'and removes it. What it did stays in the audit trail.'
  ],
  examples: [
    ['postern doctor'],
    ['postern doctor --through https://example.com'],
    ['postern doctor --through https://example.com --protected /api/:user_id/notes --json']
  ],
  exits: {
    0: 'nothing has failed',
    1: 'something has',
    78: 'the settings are wrong; the report says which',
    130: 'its account is removed all the same'
  }
}

/** `postern doctor`: what is right, what is doubtful and what is wrong, and what to do about it. */
export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('look at settings, database, keys and this machine, and at a gateway from outside')
    .option('--through <url>', 'the URL of a gateway that forwards /auth/ to this service', toBaseUrl)
    .addOption(
      new Option('--protected <path>', 'a path of an API behind it, :user_id for the own id; may stand more than once')
        .argParser((text, before: string[]) => [...before, toPath(text)])
        .default([], 'none')
    )
    .option('--json', 'as JSON', false)
    .action(async ({ through, protected: protectedPaths, json }: Options, command: Command) => {
      if (protectedPaths.length > 0 && through === undefined) command.error('error: --protected needs --through')
      const { examine } = await import('./doctor/run.js')
      const { reportJson, reportText } = await import('./doctor/report.js')
      const progress = createProgress()
      const interrupted = new AbortController()
      const onSignal = () => interrupted.abort()
      process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
      try {
        const options = { through, protectedPaths, progress, signal: interrupted.signal }
        const { findings, exitCode } = await examine(readEnvironment(), options)
        progress.end()
        process.stdout.write(json ? reportJson(findings) : reportText(findings))
        process.exitCode = exitCode
      } catch (error) {
        progress.end()
        if (!interrupted.signal.aborted) throw error
        process.exitCode = EXIT_INTERRUPTED
      }
    })
  return documented(command, NOTES)
}
