import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { resolveAuthSecret } from '../../src/auth-secret.js'
import { loadConfig } from '../../src/config.js'
import { createAdminApp, trail } from '../fixtures/admin.js'
import { readDocument } from '../fixtures/transcript.js'

interface Shown {
  name: string
  value: string | null
  source: string
  is_secret: boolean
  is_set: boolean
}

t.test('an admin sees every setting as it is, and where it came from', async (t) => {
  const app = await createAdminApp(t)
  const { status, body } = await app.call('GET', '/settings')
  t.equal(status, 200)
  const settings = body.settings as Shown[]
  const documented = [...readDocument('.env.example').matchAll(/^# ([A-Z_]+)=/gm)].map(([, name]) => name)
  t.strictSame(
    settings.map(({ name }) => name),
    documented
  )
  const of = (name: string) => settings.find((setting) => setting.name === name)
  t.match(of('BCRYPT_COST'), { value: '4', source: 'environment', is_secret: false, is_set: true })
  t.match(of('SESSION_TTL'), { value: '30d', source: 'default', is_set: true })
  t.match(of('TRUST_PROXY'), { value: null, source: 'default', is_set: false })
  t.match(body, { version: /^\d/, node: process.version })
  t.match(await trail(app), [{ event_type: 'admin_action', details: { action: 'settings.get' } }])
})

t.test('of a secret an admin sees whether there is one, and nothing else, from wherever it came', async (t) => {
  const folder = t.testdir()
  const canary = (name: string) => `canary-${name}-0123456789abcdefghijklmnopqrstuvwxyz`
  const names = ['AUTH_SECRET', 'AUTH_SECRET_PREVIOUS', 'JWT_SECRET', 'METRICS_TOKEN']
  const env: Record<string, string> = {
    NODE_ENV: 'test',
    DATABASE_URL: `postgres://postern:${canary('DATABASE')}@127.0.0.1:1/none`,
    REDIS_URL: `redis://:${canary('REDIS')}@127.0.0.1:1`,
    CLIENTS: `reports:${canary('CLIENTS')}`
  }
  for (const name of names) env[name] = canary(name)
  writeFileSync(join(folder, 'secret'), canary('FILE'))
  delete env.JWT_SECRET
  env.JWT_SECRET_FILE = join(folder, 'secret')
  const { settings } = loadConfig(env)
  const app = await createAdminApp(t, { settings })
  const { body, raw } = await app.call('GET', '/settings')
  t.notMatch(raw, 'canary')
  const secrets = (body.settings as Shown[]).filter(({ is_secret }) => is_secret)
  t.strictSame(secrets.map(({ name }) => name).sort(), [...names, 'CLIENTS', 'DATABASE_URL', 'REDIS_URL'].sort())
  for (const secret of secrets) t.match(secret, { value: null, is_set: true }, secret.name)
  t.match(
    secrets.find(({ name }) => name === 'JWT_SECRET'),
    { source: 'file' }
  )
})

t.test('a secret that the service made itself is called generated', async (t) => {
  const dataDir = t.testdir()
  const config = resolveAuthSecret(loadConfig({ NODE_ENV: 'test', DATA_DIR: dataDir }))
  const state = config.settings.find(({ name }) => name === 'AUTH_SECRET')
  t.match(state, { source: 'generated', isSet: true, value: null })
  t.notMatch(JSON.stringify(config.settings), readFileSync(join(dataDir, 'auth-secret'), 'utf8').trim())
})
