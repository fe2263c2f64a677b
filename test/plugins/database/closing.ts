import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { createDatabase } from '../../fixtures/postgres.js'
import { observe } from '../../fixtures/process.js'
import { createRelay } from '../../fixtures/relay.js'

const CLOSING = fileURLToPath(new URL('../../fixtures/closing.js', import.meta.url))

async function leftAfterClosing(t: Test, url: string, expected = ''): Promise<string> {
  const child = spawn(process.execPath, [CLOSING, url, expected], { stdio: ['ignore', 'pipe', 'pipe'] })
  const { ended, output } = observe(t, child)
  t.equal(await ended, 0, 'the process ends by itself')
  t.equal(output().stderr, '')
  return output().stdout.trim()
}

t.test('closing leaves no connection and no timer behind', async (t) => {
  t.equal(await leftAfterClosing(t, await createDatabase(t, { empty: true }), 'ready'), '[]')
})

t.test('nor does it where nobody listens, where all are turned away, and where nobody answers', async (t) => {
  const databaseUrl = await createDatabase(t, { empty: true })
  t.equal(await leftAfterClosing(t, 'postgres://postern:secret@127.0.0.1:1/postern'), '[]')
  const away = await createRelay(t, databaseUrl)
  away.refuse(true)
  t.equal(await leftAfterClosing(t, away.url()), '[]')
  const silent = await createRelay(t, databaseUrl)
  silent.freeze()
  t.equal(await leftAfterClosing(t, silent.url()), '[]')
})
