import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { serving } from '../fixtures/process.js'
import { agrees, checkTranscript, pathsOf, readDocument, stepsOf } from '../fixtures/transcript.js'

const readme = readDocument('README.md')

/** The operations of the service, as `GET /auth/me`. */
async function operations(url: string): Promise<string[]> {
  return Object.entries(await pathsOf(url)).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`)
  )
}

t.test("the README's commands print what the README says", async (t) => {
  // A short window, because the smoke test at the end waits for the next one.
  const { url } = await serving(t, { RATE_LIMIT_LOGIN: '5/12' })
  await checkTranscript(t, 'README.md', url)
})

t.test("the README's table has every endpoint of the service and no other", async (t) => {
  const { url } = await serving(t, { CLIENTS: 'reports:a-secret-for-this-test' })
  const listed = [...readme.matchAll(/^\| `([A-Z]+ \/[^`]*)` \|/gm)].map(([, operation = '']) => operation)
  t.strictSame(listed.sort(), (await operations(url)).sort())
})

t.test("the README's check of a token in another service takes a good token and no other", async (t) => {
  const { url } = await serving(t)
  const answer = await fetch(`${url}/auth/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: 'Correct1horse' })
  })
  const { token, user_id: userId } = (await answer.json()) as { token: string; user_id: string }
  const [, snippet = ''] = /```js\n([\s\S]*?)```/.exec(readme) ?? []
  const folder = t.testdir({
    // The issuer stays the documented one, which is what the service was started with; only the keys are elsewhere.
    'check.mjs': `${snippet.replace("'http://localhost:3000/auth/.well-known", `'${url}/auth/.well-known`)}
      for (const token of process.argv.slice(2)) console.log(await userOf(token).catch(({ code }) => code))`
  })
  const forged = `${token.slice(0, token.lastIndexOf('.'))}.${Buffer.alloc(64, 1).toString('base64url')}`
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'check.mjs'), token, forged])
  t.equal(stdout, `${userId}\nERR_JWS_SIGNATURE_VERIFICATION_FAILED\n`)
})

t.test('the reader of the documents sees what it should', async (t) => {
  const text = '```sh\n$ no\n```\n```console\n$ a \\\n  b\nc\n$ d\n```\nno\n'
  t.strictSame(stepsOf(text), [
    { line: 5, command: 'a \\\n  b', expected: ['c'] },
    { line: 8, command: 'd', expected: [] }
  ])
  t.throws(() => stepsOf('```console\nc\n```'), /line 2/)
  t.ok(agrees('{"a":"…","b":[1]}', '{"a":"x","b":[1]}'))
  t.notOk(agrees('{"a":"…","b":1}', '{"a":"x","b":2}'))
  t.notOk(agrees('a', 'ab'))
  t.notOk(agrees('a.c', 'abc'))
})
