import { CommanderError } from 'commander'
import t from 'tap'
import { leaves, nameOf, withCommands } from '../../src/cli/document.js'
import { notesOf } from '../../src/cli/documented.js'
import { failure } from '../../src/cli/failure.js'
import { createProgram, everyCommand } from '../../src/cli/program.js'
import { EXIT_CODES, EXIT_WRONG_USAGE } from '../../src/lib/exit-codes.js'
import { postern } from '../fixtures/process.js'
import { readDocument } from '../fixtures/transcript.js'

const names = leaves(createProgram()).map(nameOf)

t.test('docs/cli.md is what the commands say of themselves (node scripts/cli.js writes it)', async (t) => {
  const document = readDocument('docs/cli.md')
  t.equal(withCommands(document, createProgram()), document)
  for (const name of names) t.ok(document.includes(`### ${name}\n`), name)
})

t.test('there are the commands of the contract, each with a description, --json and examples of itself', async (t) => {
  const program = createProgram()
  const first = program.commands.map((command) => command.name())
  t.strictSame(first, 'serve migrate secret doctor smoke admin keys users events throttle'.split(' '))
  for (const command of everyCommand(program)) t.match(command.description(), /\w/, nameOf(command))
  for (const leaf of leaves(program)) {
    t.ok(
      leaf.options.some(({ long }) => long === '--json'),
      nameOf(leaf)
    )
    t.ok(notesOf(leaf).examples.length > 0 && notesOf(leaf).examples.every(([line]) => line.includes(nameOf(leaf))))
    for (const { description } of leaf.options) t.match(description, /\w/)
  }
})

/** The arguments of a command line as a shell would pass them, without what is around it. */
function argumentsOf(line: string): string[] {
  const [, command = ''] = /postern (.*?)(?=\)| [<>|]|$)/.exec(line) ?? []
  return command.split(' ')
}

/** Parses, and does nothing. Returns which command would have done it. */
async function parsed(args: string[]): Promise<string> {
  const program = createProgram()
  let run = 'none'
  for (const leaf of leaves(program)) {
    leaf.action(() => {
      run = nameOf(leaf)
    })
  }
  for (const command of everyCommand(program)) command.configureOutput({ writeErr: () => undefined })
  await program.parseAsync(args, { from: 'user' })
  return run
}

t.test('every example is a command line that is understood', async (t) => {
  for (const leaf of leaves(createProgram())) {
    for (const [line] of notesOf(leaf).examples) t.equal(await parsed(argumentsOf(line)), nameOf(leaf), line)
  }
  await t.rejects(parsed(['events', '--nonsense']), CommanderError)
})

/** What a command line ends with in this process, and what it writes to standard error and, of help, to standard output. */
async function run(args: string[], env: Record<string, string> = {}) {
  const written = { stdout: '', stderr: '' }
  const program = createProgram()
  for (const command of everyCommand(program)) {
    command.configureOutput({
      writeOut: (text) => {
        written.stdout += text
      },
      writeErr: (text) => {
        written.stderr += text
      }
    })
  }
  const before = { ...process.env }
  Object.assign(process.env, env)
  try {
    await program.parseAsync(args, { from: 'user' })
    return { code: 0, ...written }
  } catch (error) {
    const { message, exitCode } = failure(error)
    const isUsage = error instanceof CommanderError
    return {
      code: isUsage ? usageCode(error) : exitCode,
      ...written,
      ...(!isUsage && { stderr: `postern: ${message}\n` })
    }
  } finally {
    process.env = before
  }
}

const usageCode = ({ exitCode }: CommanderError): number => (exitCode === 0 ? 0 : EXIT_WRONG_USAGE)

t.test(
  'a command that documents 78 ends with it where a setting is wrong; every one ends with 64 by nonsense',
  async (t) => {
    for (const leaf of leaves(createProgram())) {
      const { examples, exits } = notesOf(leaf)
      for (const code of Object.keys(exits)) t.ok(code in EXIT_CODES, `${nameOf(leaf)} ${code}`)
      const args = argumentsOf(examples[0]?.[0] ?? '')
      // Doctor reports the faults, and has a test of its own.
      if (78 in exits && leaf.name() !== 'doctor') {
        t.match(await run(args, { PORT: 'x' }), { code: 78, stderr: /PORT must be/ }, nameOf(leaf))
      }
      const nonsense = await run([...args, 'one', 'more', '--nonsense'])
      t.match(nonsense, { code: 64, stdout: '', stderr: /^postern: .+\n$/ }, nameOf(leaf))
    }
  }
)

t.test('the help of each command has its examples, and that of the program the exit codes', async (t) => {
  for (const name of names) {
    const { code, stdout } = await run([...name.split(' ').slice(1), '--help'])
    t.equal(code, 0, name)
    t.match(stdout, /Examples:\n {2}/)
    t.notMatch(stdout, 'default: false')
  }
  t.match(await run(['--help']), { code: 0, stdout: /Exit codes:\n {2}0 /, stderr: '' })
})

t.test(
  'the program itself ends so: 0 with help, 64 without a command, and secrets need no right settings',
  async (t) => {
    for (const [args, code] of [
      [['--help'], 0],
      [[], 64],
      [['secret'], 0]
    ] as const) {
      const { ended } = postern(t, [...args], { PORT: 'x' })
      t.equal(await ended, code, args.join(' '))
    }
  }
)
