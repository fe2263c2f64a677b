import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import type { Config } from '../config.js'
import type { Passwords } from '../plugins/passwords/index.js'

export interface ChosenPassword {
  password: string
  /** It has to be shown, once. */
  generated: boolean
}

/**
 * From standard input, or asked for at the terminal without showing it, or generated: where nobody can be asked, and when
 * the answer is empty. Throws with every rule that it breaks.
 */
export async function choosePassword(
  passwords: Passwords,
  email: string,
  { fromStdin }: { fromStdin: boolean }
): Promise<ChosenPassword> {
  const given = fromStdin ? await readAll() : await ask()
  if (given === '' && fromStdin) throw new Error('there is no password on standard input')
  if (given === '') return { password: generate(passwords, email), generated: true }
  const faults = [...passwords.checkLength(given), ...passwords.check(given, email)]
  if (faults.length > 0) throw new Error(`the password is refused: ${faults.map(({ message }) => message).join(' ')}`)
  return { password: given, generated: false }
}

async function readAll(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '')
}

async function ask(): Promise<string> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return ''
  process.stderr.write('Password (empty: one is made and shown): ')
  // Readline would show what is typed.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await terminal.question('')
  } finally {
    terminal.close()
    process.stderr.write('\n')
  }
}

/** 192 random bits; again where the policy asks for a digit and there is none. */
function generate(passwords: Passwords, email: string): string {
  for (;;) {
    const password = randomBytes(24).toString('base64url')
    if (passwords.check(password, email).length === 0) return password
  }
}

/** The service's own policy and cost. */
export async function passwordsOf(config: Config): Promise<Passwords> {
  const { default: plugin } = await import('../plugins/passwords/index.js')
  const app = Fastify()
  await app.register(plugin, config)
  return app.passwords
}
