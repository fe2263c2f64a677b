import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { packageRoot } from '../src/lib/package-root.js'
import { serving } from './fixtures/process.js'

const SCRIPT = join(packageRoot(), 'scripts/smoke.sh')

/** The exit code of the script and its lines. */
async function smoke(url: string): Promise<{ code: number; lines: string[] }> {
  const { PATH = '' } = process.env
  const run = promisify(execFile)('sh', [SCRIPT, url], { env: { PATH, HOME: '/nonexistent' } })
  const { stdout, code = 0 } = await run.catch((error) => error)
  return { code, lines: stdout.trimEnd().split('\n') }
}

t.test('the smoke test passes against a service with the settings that it has by itself', async (t) => {
  const { url } = await serving(t)
  const { code, lines } = await smoke(url)
  t.equal(lines.at(-1), `${lines.length - 1} passed, 0 failed`)
  t.ok(lines.includes('ok    attempt 6 is limited, though the password is right: 429 rate_limited'))
  t.equal(code, 0)
})

t.test('where tokens live for seconds the smoke test waits until one has expired', async (t) => {
  const { url } = await serving(t, { ACCESS_TOKEN_TTL: '3s' })
  const { code, lines } = await smoke(`${url}/`)
  t.ok(lines.includes('ok    be refused with an expired token: 401 token_expired'), lines.join('\n'))
  t.equal(code, 0)
})

t.test('the smoke test fails where a check does', async (t) => {
  const { url } = await serving(t, { RATE_LIMIT_LOGIN: '60/60' })
  const { code, lines } = await smoke(url)
  t.match(
    lines.filter((line) => line.startsWith('FAIL')),
    [/^FAIL {2}attempt 6 is limited/]
  )
  t.match(lines.at(-1), / 1 failed$/)
  t.equal(code, 1)
})
