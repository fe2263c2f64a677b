/** Needs Debian's postgresql, so that it is no part of `npm test`. Run by scripts/test-restore.sh. */
import { execFileSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { password } from '../fixtures/app.js'
import { startDebianPostgres } from '../fixtures/debian-postgres.js'
import { postern, settingsFor } from '../fixtures/process.js'
import { readDocument } from '../fixtures/transcript.js'

const document = readDocument('docs/operations.md')

/** The command of the document that begins so. */
function documented(program: string): string {
  const found = [...document.matchAll(/```sh\n([\s\S]*?)```/g)].find(([, text = '']) => text.startsWith(`${program} `))
  if (found?.[1] === undefined) throw new Error(`docs/operations.md has no command ${program}`)
  return found[1]
}

const [, endAllSessions = ''] = /```sql\n\s*(UPDATE postern\.sessions[^`]*;)\n\s*```/.exec(document) ?? []

interface Answer {
  status: number
  /** biome-ignore lint/suspicious/noExplicitAny: a test asserts the shape that it expects */
  body: any
}

async function serve(t: Test, env: Record<string, string>) {
  const running = postern(t, ['serve'], env)
  const { url = '' } = await running.line('ready')
  const call = async (path: string, { token, body }: { token?: string; body?: unknown } = {}): Promise<Answer> => {
    const headers: Record<string, string> = {}
    if (token !== undefined) headers.authorization = `Bearer ${token}`
    if (body !== undefined) headers['content-type'] = 'application/json'
    const method = body === undefined ? 'GET' : 'POST'
    const answer = await fetch(url + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) })
    })
    return { status: answer.status, body: await answer.json() }
  }
  const stop = async () => {
    running.child.kill('SIGTERM')
    t.equal(await running.ended, 0)
  }
  return { call, stop }
}

t.test('the documented backup, restored as documented, is the service of that moment', async (t) => {
  const { programs, urlOf, psql } = await startDebianPostgres(t)
  psql(
    'postgres',
    'create role postern login; create database before owner postern; create database after owner postern'
  )
  const scratch = t.testdir()
  const run = (command: string, database: string) => {
    const env = { PATH: `${programs}:${process.env.PATH}`, DATABASE_URL: urlOf('postern', database) }
    execFileSync('sh', ['-c', command], { cwd: scratch, env })
  }

  const settings = settingsFor(urlOf('postern', 'before'))
  const before = await serve(t, settings)
  const credentials = { email: 'ada@example.com', password }
  const { body: user } = await before.call('/auth/signup', { body: credentials })
  run(documented('pg_dump'), 'before')
  const { body: later } = await before.call('/auth/refresh', { body: { refresh_token: user.refresh_token } })
  t.equal((await before.call('/auth/logout', { token: user.token, body: {} })).status, 200)
  await before.stop()

  run(documented('pg_restore'), 'after')
  const after = await serve(t, { ...settings, DATABASE_URL: urlOf('postern', 'after') })
  t.equal((await after.call('/auth/me', { token: user.token })).status, 200, 'a logout since then is undone')
  t.match(await after.call('/auth/refresh', { body: { refresh_token: later.refresh_token } }), {
    status: 401,
    body: { code: 'invalid_refresh_token' }
  })
  t.equal((await after.call('/auth/refresh', { body: { refresh_token: user.refresh_token } })).status, 200)
  t.equal((await after.call('/auth/login', { body: credentials })).status, 200)
  t.throws(() => psql('after', 'update postern.auth_events set success = false'), /append-only/)

  psql('after', endAllSessions)
  t.match(await after.call('/auth/me', { token: user.token }), { status: 401, body: { code: 'session_ended' } })
  t.equal((await after.call('/auth/login', { body: credentials })).status, 200)
  await after.stop()
})
