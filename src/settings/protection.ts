import { availableParallelism } from 'node:os'
import {
  LIFETIME,
  RATE,
  refuseClients,
  refuseEverybody,
  refuseOff,
  refuseOwnerPaths,
  refuseRedisUrl,
  refuseToken,
  SAMPLE_REDIS_URL,
  setting
} from './definition.js'
import {
  choice,
  clients,
  decimal,
  endpointUrl,
  milliseconds,
  networks,
  onOff,
  origins,
  rateLimit,
  redisUrl,
  seconds,
  text,
  texts,
  whole
} from './types.js'

/** What protects it, and how it runs. */
export const PROTECTION_SETTINGS = {
  bcryptCost: setting({
    name: 'BCRYPT_COST',
    type: whole(4, 15),
    default: '12',
    allowed: 'a whole number from 10 to 15',
    example: '12',
    description: 'Each step doubles the work of a login',
    refuse: (cost, { environment }) => (cost < 10 && environment !== 'test' ? 'is below 10' : undefined)
  }),
  passwordPolicy: setting({
    name: 'PASSWORD_POLICY',
    type: choice('classic', 'nist'),
    default: 'classic',
    allowed: '`classic` or `nist`',
    example: 'nist',
    description:
      '`classic`: 8 characters with an upper-case letter, a lower-case letter and a digit; `nist`: 15 of any kind'
  }),
  rateLimitLogin: setting({
    name: 'RATE_LIMIT_LOGIN',
    type: rateLimit(),
    default: '5/60',
    allowed: RATE,
    example: '5/60',
    description: 'Logins of one client address',
    refuse: refuseOff
  }),
  rateLimitSignup: setting({
    name: 'RATE_LIMIT_SIGNUP',
    type: rateLimit(),
    default: '5/60',
    allowed: RATE,
    example: '5/60',
    description: 'Signups of one client address',
    refuse: refuseOff
  }),
  rateLimitRefresh: setting({
    name: 'RATE_LIMIT_REFRESH',
    type: rateLimit(),
    default: '60/60',
    allowed: RATE,
    example: '60/60',
    description: 'Refreshes of one client address',
    refuse: refuseOff
  }),
  redisUrl: setting({
    name: 'REDIS_URL',
    type: redisUrl(),
    default: undefined,
    shownDefault: 'none: each instance counts for itself',
    allowed:
      '`redis://user:password@host:port/database`, or `rediss://` for TLS; user, password and database may be left out',
    example: SAMPLE_REDIS_URL,
    description:
      'The Redis or Valkey through which instances share these limits; while it is away each counts for itself',
    secret: true,
    refuse: refuseRedisUrl
  }),
  trustProxy: setting({
    name: 'TRUST_PROXY',
    type: networks(),
    default: '',
    allowed: 'addresses, CIDR ranges, `loopback` or `private`, with commas between them',
    example: '10.0.0.0/8,loopback',
    description: 'The proxies whose `X-Forwarded-*` headers are believed',
    refuse: refuseEverybody
  }),
  ownerPaths: setting({
    name: 'OWNER_PATHS',
    type: texts(),
    default: '',
    allowed: 'paths with `:user_id` as one segment, at the end perhaps `/*`, with commas between them',
    example: '/api/:user_id/*,/users/:user_id/*',
    description: "Where in the paths of your APIs the owner's id stands, for `/auth/verify`",
    refuse: refuseOwnerPaths
  }),
  clients: setting({
    name: 'CLIENTS',
    type: clients(),
    default: '',
    allowed: '`id:secret` pairs with commas between them, each id once; in production the secrets are as `AUTH_SECRET`',
    example: 'reports:sample-replace-me-by-what-npm-run-secret-prints',
    description: 'Who may call introspection and revocation; without it there is neither',
    secret: true,
    refuse: refuseClients
  }),
  eventsRetentionSeconds: setting({
    name: 'EVENTS_RETENTION',
    type: seconds('1d', '36500d'),
    default: '400d',
    allowed: 'a duration of `1d` or more',
    example: '90d',
    description: 'Months of events that are wholly older are dropped'
  }),
  corsOrigins: setting({
    name: 'CORS_ORIGINS',
    type: origins(),
    default: '',
    allowed: 'exact origins with commas between them, no `*`, no path',
    example: 'https://app.example.com',
    description: 'The web pages of other origins that may call `/auth`'
  }),
  hashConcurrency: setting({
    name: 'HASH_CONCURRENCY',
    type: whole(1, 64),
    default: String(Math.min(3, availableParallelism())),
    shownDefault: 'the number of cores, at most 3',
    allowed: 'a whole number from 1 to 64',
    example: '2',
    description: "Passwords hashed at the same time; keep it below Node's thread pool (4, `UV_THREADPOOL_SIZE`)"
  }),
  hashQueueSeconds: setting({
    name: 'HASH_QUEUE_SECONDS',
    type: decimal(0.1, 60),
    default: '2',
    allowed: 'a number from 0.1 to 60',
    example: '2',
    description: 'When more hashing than this waits, logins are answered with 503 at once'
  }),
  keyRotationSeconds: setting({
    name: 'KEY_ROTATION',
    type: seconds('1s', '3650d'),
    default: '90d',
    allowed: `${LIFETIME}, not below \`KEY_PUBLISH_AHEAD\``,
    example: '30d',
    description: 'How long a signing key signs'
  }),
  keyPublishAheadSeconds: setting({
    name: 'KEY_PUBLISH_AHEAD',
    type: seconds('1s', '365d'),
    default: '24h',
    allowed: `${LIFETIME}, \`1s\` or more`,
    example: '24h',
    description: 'How long the next key is published before it signs: the longest that a verifier may cache the keys'
  }),
  metricsToken: setting({
    name: 'METRICS_TOKEN',
    type: text('^[A-Za-z0-9._~+/-]+=*$'),
    default: undefined,
    allowed: 'up to 512 characters that a bearer token may have; in production as `AUTH_SECRET`',
    example: 'sample-replace-me-by-one-more-of-npm-run-secret',
    description: 'What `/metrics` asks for as a bearer token; without it anybody who reaches `/metrics` may read it',
    secret: true,
    refuse: refuseToken
  }),
  otlpEndpoint: setting({
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    type: endpointUrl(),
    default: undefined,
    allowed: 'an absolute http or https URL without query, fragment or user',
    example: 'http://localhost:4318',
    description: 'Where traces are sent, by OTLP over HTTP; without it nothing is traced'
  }),
  tracesShare: setting({
    name: 'OTEL_TRACES_SAMPLER_ARG',
    type: decimal(0, 1),
    default: '1',
    allowed: 'a number from 0 to 1',
    example: '0.05',
    description: 'The share of requests that is traced, where the gateway has not decided it by `traceparent`'
  }),
  docs: setting({
    name: 'DOCS',
    type: onOff(),
    default: 'on',
    productionDefault: 'off',
    shownDefault: '`on`, in production `off`',
    allowed: '`on` or `off`',
    example: 'on',
    description: 'The page `/docs`'
  }),
  logLevel: setting({
    name: 'LOG_LEVEL',
    type: choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    default: 'info',
    allowed: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`',
    example: 'debug',
    description: 'No level logs a secret, but the one-time link by which the first admin of a development start is made'
  }),
  shutdownDelayMs: setting({
    name: 'SHUTDOWN_DELAY',
    type: milliseconds('0s', '10m'),
    default: '0s',
    allowed: 'a duration of at most `10m`, below `SHUTDOWN_TIMEOUT`',
    example: '5s',
    description: 'How long connections are still taken after SIGTERM, while `/readyz` already answers 503'
  }),
  shutdownTimeoutMs: setting({
    name: 'SHUTDOWN_TIMEOUT',
    type: milliseconds('1s', '15m'),
    default: '10s',
    allowed: 'a duration from `1s` to `15m`',
    example: '30s',
    description: 'The service ends so long after SIGTERM at the latest, `SHUTDOWN_DELAY` included'
  })
} as const
