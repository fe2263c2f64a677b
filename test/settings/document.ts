import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import t from 'tap'
import { loadConfig } from '../../src/config.js'
import { packageRoot } from '../../src/lib/package-root.js'
import { dotEnvExample, settingsTable, withSettingsTable } from '../../src/settings/document.js'
import { SETTINGS, type Setting } from '../../src/settings/table.js'

const names = Object.values<Setting>(SETTINGS).map(({ name }) => name)

t.test('.env.example is what the table of settings says (node scripts/settings.js writes it)', async (t) => {
  t.equal(readFileSync(join(packageRoot(), '.env.example'), 'utf8'), dotEnvExample())
})

t.test('the README has the table of settings (node scripts/settings.js writes it)', async (t) => {
  const path = join(packageRoot(), 'README.md')
  const readme = existsSync(path)
    ? readFileSync(path, 'utf8')
    : `<!-- settings -->\n\n${settingsTable()}\n\n<!-- /settings -->`
  t.equal(withSettingsTable(readme), readme)
  for (const name of names) t.ok(readme.includes(`\`${name}\``), name)
})

t.test(
  '.env.example, with every line in use, is a configuration for development and is refused in production',
  async (t) => {
    const env = parseEnv(dotEnvExample().replace(/^# ([A-Z_]+=)/gm, '$1'))
    t.strictSame(Object.keys(env).sort(), [...names].sort())
    loadConfig({ ...env, NODE_ENV: 'development' })
    t.throws(() => loadConfig({ ...env, NODE_ENV: 'production' }), /AUTH_SECRET.*\n.*\n.*AUTH_SECRET_PREVIOUS/)
  }
)

t.test('the table stands between its markers and nowhere else', async (t) => {
  const text = 'a\n<!-- settings -->\nold $& $1\n<!-- /settings -->\nb'
  t.equal(withSettingsTable(text), `a\n<!-- settings -->\n\n${settingsTable()}\n\n<!-- /settings -->\nb`)
  t.equal(withSettingsTable('no markers'), 'no markers')
})
