import t from 'tap'
import { serving } from '../fixtures/process.js'
import { checkTranscript, pathsOf, readDocument, stepsOf } from '../fixtures/transcript.js'

const GUIDE = 'docs/quickstart.md'

/** The settings that the guide starts the service with. */
function settings(): Record<string, string> {
  const [, line = ''] = /^(CLIENTS=.*) npm start$/m.exec(readDocument(GUIDE)) ?? []
  return Object.fromEntries(line.split(' ').map((pair) => pair.split('=')))
}

t.test("the guide's commands print what the guide says", async (t) => {
  // One step shows the interval after a refresh; a machine under load must not miss it.
  const { url } = await serving(t, { ...settings(), REFRESH_REUSE_INTERVAL: '60s' })
  await checkTranscript(t, GUIDE, url)
})

t.test('the guide calls every endpoint of the service', async (t) => {
  const { url } = await serving(t, settings())
  const paths = await pathsOf(url)
  const commands = stepsOf(readDocument(GUIDE)).map(({ command }) => command)
  for (const path of Object.keys(paths)) {
    const pattern = new RegExp(`http://localhost:3000${path.replaceAll(/\{\w+\}/g, '[^/\\s]+')}(?=[?'")\\s]|$)`)
    t.ok(
      commands.some((command) => pattern.test(command)),
      path
    )
  }
})
