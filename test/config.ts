import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Config, ConfigError, loadConfig, readEnvironment } from '../src/config.js'
import { newSecret } from '../src/lib/kept-secret.js'

type Env = Record<string, string>

const production: Env = { NODE_ENV: 'production', ISSUER: 'https://id.example.com/auth' }

function faults(env: Env): ConfigError['faults'] {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

const names = (env: Env): string[] => faults(env).map(({ name }) => name)

t.test('an empty environment means the documented defaults', async (t) => {
  const config = loadConfig({})
  t.match(config, {
    environment: 'development',
    production: false,
    host: '127.0.0.1',
    port: 3000,
    databaseUrl: undefined,
    databaseTimeoutMs: 3000,
    issuer: 'http://localhost:3000/auth',
    audience: 'postern',
    jwtAlgorithm: 'ES256',
    accessTokenTtlSeconds: 86_400,
    refreshTokenTtlSeconds: 604_800,
    sessionTtlSeconds: 2_592_000,
    refreshReuseIntervalSeconds: 10,
    bcryptCost: 12,
    passwordPolicy: 'classic',
    rateLimits: {
      login: { max: 5, windowSeconds: 60 },
      signup: { max: 5, windowSeconds: 60 },
      refresh: { max: 60, windowSeconds: 60 }
    },
    redisUrl: undefined,
    trustProxy: [],
    ownerPaths: [],
    clients: [],
    metricsToken: undefined,
    otlpEndpoint: undefined,
    tracesShare: 1,
    eventsRetentionSeconds: 400 * 86_400,
    corsOrigins: [],
    hashQueueSeconds: 2,
    keyRotationSeconds: 90 * 86_400,
    keyPublishAheadSeconds: 86_400,
    docs: true,
    logLevel: 'info',
    shutdownDelayMs: 0,
    shutdownTimeoutMs: 10_000
  } satisfies Partial<Config>)
  t.equal(loadConfig({ PORT: '', ISSUER: '' }).port, 3000, 'an empty variable counts as none')
})

t.test('the configuration is frozen, all of it', async (t) => {
  const config = loadConfig({ CLIENTS: 'a:b', TRUST_PROXY: 'loopback' })
  for (const part of [config, config.rateLimits, config.rateLimits.login, config.trustProxy, config.clients[0]]) {
    t.ok(Object.isFrozen(part))
  }
})

t.test('every kind of setting takes what is documented', async (t) => {
  const config = loadConfig({
    ACCESS_TOKEN_TTL: '90',
    REFRESH_TOKEN_TTL: '15m',
    SESSION_TTL: '2h',
    DATABASE_TIMEOUT: '500ms',
    RATE_LIMIT_LOGIN: 'off',
    RATE_LIMIT_SIGNUP: '7/30',
    REDIS_URL: 'rediss://u:p%40@[::1]:6380/3',
    TRUST_PROXY: 'loopback, 10.0.0.0/8,fd00::/8,192.0.2.1',
    OWNER_PATHS: '/api/:user_id/*, /users/:user_id',
    CORS_ORIGINS: 'https://a.example,http://localhost:8080',
    CLIENTS: 'one:se:cret,two:x',
    HASH_QUEUE_SECONDS: '0.5',
    DOCS: 'off',
    DATABASE_URL: 'postgresql://u:p@one:5432,two:5433/db?sslmode=verify-full',
    AUTH_SECRET: newSecret()
  })
  t.match(config, {
    accessTokenTtlSeconds: 90,
    refreshTokenTtlSeconds: 900,
    sessionTtlSeconds: 7200,
    databaseTimeoutMs: 500,
    rateLimits: { login: undefined, signup: { max: 7, windowSeconds: 30 } },
    redisUrl: 'rediss://u:p%40@[::1]:6380/3',
    trustProxy: ['loopback', '10.0.0.0/8', 'fd00::/8', '192.0.2.1'],
    ownerPaths: ['/api/:user_id/*', '/users/:user_id'],
    corsOrigins: ['https://a.example', 'http://localhost:8080'],
    clients: [
      { id: 'one', secret: 'se:cret' },
      { id: 'two', secret: 'x' }
    ],
    hashQueueSeconds: 0.5,
    docs: false
  })
  t.equal(config.rateLimits.login, undefined)
})

const WRONG: Record<string, string[]> = {
  NODE_ENV: ['prod', 'Production'],
  HOST: ['a b', 'http://x'],
  PORT: ['x', '-1', '65536', '3000 ', '0x10', '1e3'],
  DATABASE_URL: [
    'mysql://a/b',
    'postgres://',
    'localhost',
    'postgres://a b/c',
    'postgres://a/b?sslmode=maybe',
    'postgres://a:0/b'
  ],
  DATABASE_TIMEOUT: ['0', '2m', '3 s', '-1s'],
  ISSUER: [
    'example.com/auth',
    'ftp://a/auth',
    'https://a/auth/',
    'https://a/auth?x',
    'https://a/auth#x',
    'https://u@a/auth',
    'https://a /auth'
  ],
  AUDIENCE: ['a b', 'é'],
  AUTH_SECRET: ['x'.repeat(31), 'a'.repeat(64), 'abcabc'.repeat(8), 'é'.repeat(15)],
  AUTH_SECRET_PREVIOUS: ['short'],
  JWT_SECRET: ['secret', 'secret'.repeat(10)],
  JWT_ALGORITHM: ['HS256', 'none', 'es256'],
  ACCESS_TOKEN_TTL: ['0', '1500ms', '1.5h', '1w', 'forever', '31d'],
  REFRESH_TOKEN_TTL: ['0s', '-7d'],
  SESSION_TTL: ['0s', '1y', '1h'],
  REFRESH_REUSE_INTERVAL: ['61s'],
  BCRYPT_COST: ['9', '16', '12.5'],
  PASSWORD_POLICY: ['none'],
  RATE_LIMIT_LOGIN: ['5', '0/60', '5/0', '5/60/1', 'Off'],
  RATE_LIMIT_SIGNUP: ['-5/60'],
  RATE_LIMIT_REFRESH: ['a/b'],
  REDIS_URL: ['http://a', 'redis://', 'redis://a b', 'redis://a:0', 'redis://u@a', 'redis://a/x', 'redis://a?x=1'],
  TRUST_PROXY: ['1', 'true', '10.0.0.0/33', '::/129', '127', '010.0.0.1', 'fe80::1%eth0', '10.0.0.1,,', '*'],
  OWNER_PATHS: ['/api/*', 'api/:user_id', '/api/:id/*', '/api/:user_id,', '/api/:user_id,/x/*/:user_id', '/:user_id/'],
  CLIENTS: ['a', 'a:', ':b', 'a b:c', 'a:b,a:c', 'a:b,'],
  EVENTS_RETENTION: ['1h'],
  CORS_ORIGINS: [
    '*',
    'null',
    'https://a.example/',
    'https://a.example/x',
    'a.example',
    'https://A.example',
    'https://a:443'
  ],
  HASH_CONCURRENCY: ['0', '65'],
  HASH_QUEUE_SECONDS: ['0', '2s'],
  KEY_ROTATION: ['0'],
  KEY_PUBLISH_AHEAD: ['0', '91d'],
  METRICS_TOKEN: ['a b', 'é', 'a:b', '=', 'x'.repeat(513)],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['localhost:4318', 'ftp://a', 'http://u:p@a', 'http://a?x', 'http://a b'],
  OTEL_TRACES_SAMPLER_ARG: ['1.1', '-1', '5%'],
  DOCS: ['true', 'ON'],
  LOG_LEVEL: ['verbose'],
  SHUTDOWN_DELAY: ['10s'],
  SHUTDOWN_TIMEOUT: ['0s']
}

for (const [name, values] of Object.entries(WRONG)) {
  t.test(`${name} refuses what it does not mean, with the rule and an example`, async (t) => {
    for (const value of values) {
      const env: Env = name === 'DATABASE_URL' ? { AUTH_SECRET: newSecret() } : {}
      const found = faults({ ...env, [name]: value })
      t.equal(found.length, 1, `one fault for ${value}`)
      if (name === 'SESSION_TTL' && value === '1h') continue
      t.equal(found[0]?.name, name)
      t.ok(found[0]?.rule)
      t.ok(found[0]?.example.startsWith(`${name}=`))
    }
  })
}

t.test('all faults are reported at once', async (t) => {
  const found = names({ ...production, PORT: 'x', JWT_SECRET: 'short', RATE_LIMIT_LOGIN: 'off', DOCS: '1' })
  t.strictSame(found.sort(), ['DOCS', 'JWT_SECRET', 'PORT', 'RATE_LIMIT_LOGIN'])
})

t.test('a wrong rule of OWNER_PATHS is named by its place and its fault', async (t) => {
  const [fault] = faults({ OWNER_PATHS: '/api/:user_id/*,/users/:id' })
  t.match(fault?.rule, /^has a rule, number 2, that does not have `:user_id` once/)
})

t.test('no fault repeats a secret', async (t) => {
  const canary = 'canary-f00d'
  const secrets = ['DATABASE_URL', 'AUTH_SECRET', 'AUTH_SECRET_PREVIOUS', 'JWT_SECRET', 'REDIS_URL']
  const found = faults({ ...Object.fromEntries(secrets.map((name) => [name, canary])), CLIENTS: `${canary},` })
  t.strictSame(found.map(({ name }) => name).sort(), [...secrets, 'CLIENTS'].sort())
  t.notMatch(new ConfigError(found).message, canary)
})

t.test('AUTH_SECRET is required with DATABASE_URL, and the fault names the command that makes one', async (t) => {
  const [fault, ...rest] = faults({ DATABASE_URL: 'postgres://localhost/postern' })
  t.equal(fault?.name, 'AUTH_SECRET')
  t.match(`${fault?.rule} ${fault?.example}`, /npm run.* secret/)
  t.strictSame(rest, [])
})

t.test('an access token may not outlive its session', async (t) => {
  t.strictSame(names({ ACCESS_TOKEN_TTL: '2h', SESSION_TTL: '1h' }), ['ACCESS_TOKEN_TTL'])
  t.strictSame(names({ ACCESS_TOKEN_TTL: '1h', SESSION_TTL: '1h' }), [])
})

t.test('production requires ISSUER, by https unless it is a loopback address', async (t) => {
  t.strictSame(names({ NODE_ENV: 'production' }), ['ISSUER'])
  t.strictSame(names({ ...production, ISSUER: 'http://id.example.com/auth' }), ['ISSUER'])
  t.strictSame(names({ ...production, ISSUER: 'http://127.0.0.1.example.com/auth' }), ['ISSUER'])
  for (const host of ['localhost:3000', '127.0.0.1:8080', '[::1]:1', 'auth.localhost']) {
    t.strictSame(names({ ...production, ISSUER: `http://${host}/auth` }), [])
  }
})

t.test('production refuses sample values and placeholders as secrets', async (t) => {
  const samples = [
    'sample-replace-me-by-what-npm-run-secret-prints',
    'change-me-change-me-change-me-0123456',
    'your-256-bit-secret-goes-in-this-place',
    'abcdefgh01234567'.repeat(3)
  ]
  for (const secret of samples) {
    for (const name of ['AUTH_SECRET', 'AUTH_SECRET_PREVIOUS', 'JWT_SECRET']) {
      t.strictSame(names({ ...production, [name]: secret }), [name], `${name} ${secret}`)
      t.strictSame(names({ [name]: secret }), [], 'good enough for a try-out')
    }
    t.strictSame(names({ ...production, CLIENTS: `a:${secret}` }), ['CLIENTS'])
    t.strictSame(names({ ...production, METRICS_TOKEN: secret }), ['METRICS_TOKEN'])
  }
  t.strictSame(names({ ...production, CLIENTS: 'a:short' }), ['CLIENTS'])
  t.strictSame(names({ ...production, METRICS_TOKEN: 'short' }), ['METRICS_TOKEN'])
  t.strictSame(names({ METRICS_TOKEN: 'short' }), [])
  t.strictSame(names({ ...production, REDIS_URL: 'redis://postern:change-me@localhost:6379/0' }), ['REDIS_URL'])
  t.strictSame(names({ ...production, REDIS_URL: 'redis://localhost' }), [])
  const url = 'postgres://postern:change-me@localhost:5432/postern'
  t.strictSame(names({ ...production, AUTH_SECRET: newSecret(), DATABASE_URL: url }), ['DATABASE_URL'])
  t.strictSame(
    names({ ...production, AUTH_SECRET: newSecret(), JWT_SECRET: newSecret(), CLIENTS: `a:${newSecret()}` }),
    []
  )
})

t.test(
  'production refuses limits that are off, a bcrypt cost below 10 and a proxy rule that trusts everybody',
  async (t) => {
    for (const name of ['RATE_LIMIT_LOGIN', 'RATE_LIMIT_SIGNUP', 'RATE_LIMIT_REFRESH']) {
      t.strictSame(names({ ...production, [name]: 'off' }), [name])
    }
    t.strictSame(names({ ...production, BCRYPT_COST: '4' }), ['BCRYPT_COST'])
    t.strictSame(names({ ...production, TRUST_PROXY: '0.0.0.0/0' }), ['TRUST_PROXY'])
    t.equal(loadConfig({ NODE_ENV: 'test', BCRYPT_COST: '4' }).bcryptCost, 4)
  }
)

t.test('production refuses one secret for two purposes', async (t) => {
  const secret = newSecret()
  t.strictSame(names({ ...production, AUTH_SECRET: secret, JWT_SECRET: secret }), ['JWT_SECRET'])
})

t.test('the page /docs is off in production unless asked for', async (t) => {
  t.equal(loadConfig(production).docs, false)
  t.equal(loadConfig({ ...production, DOCS: 'on' }).docs, true)
})

t.test('a secret is taken as its bytes, from a file without the line end', async (t) => {
  const folder = t.testdir({
    unix: `${'päss'.repeat(3)}-0123456789-abcdefgh \n`,
    dos: `${'x'.repeat(20)}0123456789abcdef\r\n`
  })
  const { jwtSecret } = loadConfig({ JWT_SECRET_FILE: join(folder, 'unix') })
  t.equal(jwtSecret?.toString('utf8'), `${'päss'.repeat(3)}-0123456789-abcdefgh `)
  t.equal(loadConfig({ JWT_SECRET_FILE: join(folder, 'dos') }).jwtSecret?.length, 36)
})

t.test('every secret can come from a file; set twice, unreadable, empty or no text it is refused', async (t) => {
  const folder = t.testdir({
    empty: '\n',
    latin1: Buffer.from('f\xfcnfunddrei\xdfig-zeichen-langes-geheimnis', 'latin1')
  })
  const secrets = [
    'DATABASE_URL',
    'AUTH_SECRET',
    'AUTH_SECRET_PREVIOUS',
    'JWT_SECRET',
    'CLIENTS',
    'METRICS_TOKEN',
    'REDIS_URL'
  ]
  for (const name of secrets) {
    const others: Env = name === 'DATABASE_URL' ? { AUTH_SECRET: newSecret() } : {}
    for (const path of ['empty', 'latin1', 'missing', '.']) {
      t.strictSame(names({ ...others, [`${name}_FILE`]: join(folder, path) }), [name], `${name} from ${path}`)
    }
    const values: Env = {
      DATABASE_URL: 'postgres://localhost/a',
      CLIENTS: `a:${newSecret()}`,
      REDIS_URL: 'redis://localhost'
    }
    const value = values[name] ?? newSecret()
    writeFileSync(join(folder, 'good'), value)
    t.strictSame(names({ ...others, [`${name}_FILE`]: join(folder, 'good') }), [])
    t.strictSame(names({ ...others, [name]: value, [`${name}_FILE`]: join(folder, 'good') }), [name], `${name} twice`)
  }
})

t.test('.env counts in development alone, and what is really set wins', async (t) => {
  const path = join(t.testdir({ '.env': 'PORT=4000\nLOG_LEVEL="debug"\n# AUDIENCE=x\n' }), '.env')
  t.match(readEnvironment({ PORT: '5000' }, path), { PORT: '5000', LOG_LEVEL: 'debug' })
  t.strictSame(readEnvironment({ NODE_ENV: 'production' }, path), { NODE_ENV: 'production' })
  t.strictSame(readEnvironment({ NODE_ENV: 'test' }, path), { NODE_ENV: 'test' })
  t.strictSame(readEnvironment({}, join(t.testdirName, 'missing')), {})
  chmodSync(path, 0o600)
  t.throws(() => readEnvironment({}, t.testdirName), ConfigError, 'a .env that cannot be read is a fault')
})
