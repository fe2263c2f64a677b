// Runs the code of docs/verify/ against the service and against the test vectors, where it is not Node's, and closes
// with `N passed, N failed`. Needs python3 with venv, go, and mvn with a JDK; fetches what their lists of packages name.
// Usage: node scripts/test-verifiers.js [python] [go] [java-spring]   (none: all)
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { addressOf, DOCUMENTED, forgeriesOf, serveKeys, signUp, startServices } from './verifiers/issuers.js'
import { LANGUAGES, prepareLanguage } from './verifiers/languages.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const document = JSON.parse(readFileSync(join(root, 'test/vectors/tokens.json'), 'utf8'))
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(LANGUAGES)
let passed = 0
let failed = 0

function check(name, expected, actual) {
  if (actual === expected) {
    passed += 1
    return
  }
  failed += 1
  console.log(`not ok ${name}: expected ${expected}, got ${actual}`)
}

/** Good or refused, whatever the reason is called in that language. */
const verdictOf = (answer) => (answer.startsWith('refused') ? 'refused' : answer)

/** Tokens of the service itself, with one rotation on the way. */
async function againstService(name, open, { app, audience, issuer, expired }) {
  const keys = `${DOCUMENTED}/.well-known`
  const verifier = open([[keys, `${addressOf(app.server)}/auth/.well-known`]])
  const ask = async (what, token, expected) => check(`${name}: ${what}`, expected, verdictOf(await verifier.ask(token)))
  const before = await signUp(app)
  await ask('a good token', before.token, `good ${before.user_id}`)
  for (const [what, token] of Object.entries(forgeriesOf(before.token, app.keys.jwks()))) {
    await ask(what, token, 'refused')
  }
  await ask('for another audience', (await signUp(audience)).token, 'refused')
  await ask('of another issuer', (await signUp(issuer)).token, 'refused')
  await ask('expired', expired.token, 'refused')
  await ask('a refresh token', before.refresh_token, 'refused')
  await app.keys.rotate({ force: true })
  const after = await signUp(app)
  await ask('under the key after a rotation', after.token, `good ${after.user_id}`)
  await ask('under the key before it', before.token, `good ${before.user_id}`)
  verifier.end()
}

/** Every vector of a level that is not Postern's alone, at the time of the vectors. */
async function againstVectors(name, open, keyServer) {
  const { algorithms, looksAt } = LANGUAGES[name]
  const placeholder = 'the key set'
  const replacements = [
    [`${DOCUMENTED}/.well-known/jwks.json`, placeholder],
    [DOCUMENTED, document.issuer],
    [placeholder, addressOf(keyServer)],
    algorithms
  ]
  const verifier = open(replacements, { TIME: String(document.time) })
  for (const { id, algorithm, level, verdict, token } of document.vectors) {
    if (level === 'postern' || !looksAt.includes(algorithm)) continue
    const [actual] = (await verifier.ask(token)).split(' ')
    check(`${name}: ${id}`, verdict, actual)
  }
  verifier.end()
}

async function withServices(folder, work) {
  const { start, stop } = await startServices(root, join(folder, 'data'))
  try {
    const app = await start()
    const [audience, issuer, short] = [
      await start({ AUDIENCE: 'another' }),
      await start({ ISSUER: 'http://localhost:3001/auth' }),
      await start({ ACCESS_TOKEN_TTL: '1s' })
    ]
    const expired = await signUp(short)
    // Its second, the leeway of the pages, and a second for the rounding.
    await sleep(7000)
    await work({ app, audience, issuer, expired })
  } finally {
    await stop()
  }
}

const folder = mkdtempSync(join(tmpdir(), 'pv-'))
const keyServer = await serveKeys(document.jwks)
try {
  await withServices(folder, async (services) => {
    for (const name of names) {
      try {
        const open = prepareLanguage(root, name, folder)
        await againstService(name, open, services)
        await againstVectors(name, open, keyServer)
      } catch (error) {
        check(`${name}: it runs`, 'yes', String(error.stderr ?? error.stack))
      }
      console.log(`${name}: ${passed} passed, ${failed} failed so far`)
    }
  })
} finally {
  keyServer.close()
  keyServer.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
