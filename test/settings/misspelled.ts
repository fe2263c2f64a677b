import t from 'tap'
import { misspelled } from '../../src/settings/misspelled.js'
import { SETTINGS } from '../../src/settings/table.js'

t.test('a slip in the name of a setting is noticed, with the name that was meant', async (t) => {
  const slips = { AUTH_SECERT: 'AUTH_SECRET', ACESS_TOKEN_TTL: 'ACCESS_TOKEN_TTL', JWT_SECRETFILE: 'JWT_SECRET_FILE' }
  const found = misspelled(Object.fromEntries(Object.keys(slips).map((name) => [name, 'x'])))
  t.strictSame(Object.fromEntries(found.map(({ name, meant }) => [name, meant])), slips)
})

t.test('an unknown name with a prefix of ours is noticed, however far from a setting', async (t) => {
  t.strictSame(misspelled({ AUTH_MODE: 'x', RATE_LIMIT_EVERYTHING: '1/1' }), [
    { name: 'AUTH_MODE', meant: undefined },
    { name: 'RATE_LIMIT_EVERYTHING', meant: undefined }
  ])
})

t.test('settings and the usual variables of a machine are no slips', async (t) => {
  const usual =
    'PATH HOME HOSTNAME PWD USER SHELL TERM LANG LC_ALL EDITOR TMPDIR NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS PGHOST'
  const settings = Object.values(SETTINGS).map(({ name }) => name)
  const all = [
    ...usual.split(' '),
    ...settings,
    'AUTH_SECRET_FILE',
    'DATABASE_URL_FILE',
    'npm_config_cache',
    'KUBERNETES_PORT'
  ]
  t.strictSame(misspelled(Object.fromEntries(all.map((name) => [name, 'x']))), [])
})
