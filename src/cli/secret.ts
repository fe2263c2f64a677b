import { Command } from 'commander'
import { newSecret } from '../lib/kept-secret.js'

/** `postern secret`: prints one and nothing else, so that `AUTH_SECRET="$(postern secret)"` works. */
export function secretCommand(): Command {
  return new Command('secret').description('print a new random secret').action(() => {
    process.stdout.write(`${newSecret()}\n`)
  })
}
