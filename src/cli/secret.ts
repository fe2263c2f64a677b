import { Command } from 'commander'
import { newSecret } from '../lib/kept-secret.js'
import { documented, type Notes } from './documented.js'

const NOTES: Notes = {
  examples: [['postern secret >auth_secret'], ['export AUTH_SECRET="$(postern secret)"']],
  exits: {}
}

/** `postern secret`: prints one and nothing else, so that `AUTH_SECRET="$(postern secret)"` works. */
export function secretCommand(): Command {
  const command = new Command('secret')
    .description('print a new random secret, fit for every setting that is one')
    .option('--json', 'as JSON', false)
    .action(({ json }: { json: boolean }) => {
      const secret = newSecret()
      process.stdout.write(json ? `${JSON.stringify({ secret })}\n` : `${secret}\n`)
    })
  return documented(command, NOTES)
}
