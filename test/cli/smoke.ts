import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { packageRoot } from '../../src/lib/package-root.js'
import { postern, serving } from '../fixtures/process.js'
import { freePort } from '../fixtures/server.js'

interface Run {
  code: number | string
  lines: string[]
}

async function script(url: string): Promise<Run> {
  const { PATH = '' } = process.env
  const env = { PATH, HOME: '/nonexistent' }
  const run = promisify(execFile)('sh', [join(packageRoot(), 'scripts/smoke.sh'), url], { env })
  const { stdout, code = 0 } = await run.catch((error) => error)
  return { code, lines: stdout.trimEnd().split('\n') }
}

async function command(t: Test, ...args: string[]): Promise<Run & { stderr: string }> {
  const { ended, output } = postern(t, ['smoke', ...args], {})
  return { code: await ended, lines: output().stdout.trimEnd().split('\n'), stderr: output().stderr }
}

/** Without what differs from run to run: the waiting, and the bodies of what failed. */
const comparable = ({ lines }: Run) =>
  lines.filter((line) => !line.includes('waiting')).map((line) => line.replace(/(got \d{3}) .*/, '$1'))

t.test('postern smoke prints the lines of the script and ends with its code, also where a check fails', async (t) => {
  for (const [code, settings] of [
    [0, { RATE_LIMIT_LOGIN: '5/6' }],
    [1, { RATE_LIMIT_LOGIN: '60/60' }]
  ] as const) {
    const { url } = await serving(t, settings)
    const wanted = await script(`${url}/`)
    const own = await command(t, `${url}/`)
    t.ok(wanted.lines.length > 10)
    t.strictSame(comparable(own), comparable(wanted))
    t.match({ script: wanted.code, own: own.code, stderr: own.stderr }, { script: code, own: code, stderr: '' })
  }
})

t.test('where tokens live for seconds postern smoke waits until one has expired', async (t) => {
  const { url } = await serving(t, { ACCESS_TOKEN_TTL: '2s' })
  const { code, lines } = await command(t, url)
  t.ok(lines.includes('ok    be refused with an expired token: 401 token_expired'), lines.join('\n'))
  t.equal(code, 0)
})

t.test('postern smoke --json has each check with what was wanted and what came', async (t) => {
  const { url } = await serving(t, { RATE_LIMIT_LOGIN: '60/60' })
  const { code, lines } = await command(t, url, '--json')
  t.equal(code, 1)
  t.equal(lines.length, 1)
  const { passed, failed, checks } = JSON.parse(lines[0] ?? '')
  t.strictSame([passed, failed], [checks.length - 1, 1])
  t.match(
    checks.filter(({ ok }: { ok: boolean }) => !ok),
    [{ check: /^attempt 6/, wanted: { status: 429, code: 'rate_limited' }, got: { status: 200 } }]
  )
  t.strictSame(checks[0], { check: 'sign up', ok: true, wanted: { status: 201 }, got: { status: 201 } })
})

t.test('where nobody answers every check of postern smoke fails', async (t) => {
  const { code, lines } = await command(t, `http://127.0.0.1:${await freePort()}`)
  t.equal(code, 1)
  t.match(lines[0], /^FAIL {2}sign up: wanted 201, got 000 .*ECONNREFUSED/)
  t.match(lines.at(-1), /^0 passed, [1-9]\d* failed$/)
})

t.test('what is no URL is an error of one line', async (t) => {
  for (const url of ['localhost:3000', 'ftp://example.com', 'http://a/?b', 'http://user@a']) {
    const { code, stderr, lines } = await command(t, url)
    t.match({ code, lines }, { code: 64, lines: [''] }, url)
    t.match(stderr, /^postern: command-argument value '.*' is invalid for argument 'url'\. .*\n$/, url)
  }
})
