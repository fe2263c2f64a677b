import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Quiet unless it fails: then what it said is in the error. */
function run(cwd, command, ...args) {
  const env = { ...process.env, GOTOOLCHAIN: 'local', PIP_DISABLE_PIP_VERSION_CHECK: '1' }
  execFileSync(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
}

/**
 * `install` gets what does not depend on the page, into a folder with the harness; `build` makes the page runnable there;
 * `algorithms` is the page's setting and what the test vectors need in its place.
 */
export const LANGUAGES = {
  python: {
    page: 'page.py',
    install(folder) {
      run(folder, 'python3', '-m', 'venv', 'venv')
      run(folder, 'venv/bin/pip', 'install', '--quiet', '--requirement', 'requirements.txt')
    },
    build: () => undefined,
    command: ['venv/bin/python', 'harness.py'],
    algorithms: ['["ES256"]', '["ES256", "EdDSA", "RS256"]'],
    looksAt: ['ES256', 'EdDSA', 'RS256']
  },
  go: {
    page: 'page.go',
    install: (folder) => run(folder, 'go', 'mod', 'download'),
    build: (folder) => run(folder, 'go', 'build', '-mod=readonly', '-o', 'harness', '.'),
    command: ['./harness'],
    algorithms: ['{"ES256"}', '{"ES256", "EdDSA", "RS256"}'],
    looksAt: ['ES256', 'EdDSA', 'RS256']
  },
  'java-spring': {
    page: 'PosternTokens.java',
    install: (folder) =>
      run(folder, 'mvn', '--quiet', '--batch-mode', 'dependency:copy-dependencies', '-DoutputDirectory=lib'),
    build: (folder) => run(folder, 'javac', '-cp', 'lib/*', 'Harness.java', 'PosternTokens.java'),
    command: ['java', '-cp', '.:lib/*', 'Harness'],
    algorithms: [
      '.jwsAlgorithm(SignatureAlgorithm.ES256)',
      '.jwsAlgorithm(SignatureAlgorithm.ES256).jwsAlgorithm(SignatureAlgorithm.RS256)'
    ],
    looksAt: ['ES256', 'RS256']
  }
}

/** The first block of code of docs/verify/<name>.md, with each of `[from, to]` replaced, wherever it stands. */
function pageOf(root, name, replacements) {
  const [, code] = /^```\w+\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, `docs/verify/${name}.md`), 'utf8')) ?? []
  return replacements.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`docs/verify/${name}.md has no ${from}`)
    return text.replaceAll(from, to)
  }, code)
}

/** A folder with the harness of a language, in which pages are built and asked, one after the other. */
export function prepareLanguage(root, name, parent) {
  const { page, install, build, command } = LANGUAGES[name]
  const folder = mkdtempSync(join(parent, `${name}-`))
  cpSync(join(root, 'test/verifiers/harness', name.split('-')[0]), folder, { recursive: true })
  install(folder)

  return (replacements, env = {}) => {
    rmSync(join(folder, page), { force: true })
    writeFileSync(join(folder, page), pageOf(root, name, replacements))
    build(folder)
    return start(folder, command, env)
  }
}

/** Asks about one token at a time. A verifier that ends before it has answered is an error with what it said. */
function start(cwd, [command, ...args], env) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    said += chunk
  })
  child.on('error', (error) => {
    said += error.message
  })
  child.stdin.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async ask(token) {
      child.stdin.write(`${token}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`it ended: ${said}`)
      return value
    },
    end: () => child.kill()
  }
}
