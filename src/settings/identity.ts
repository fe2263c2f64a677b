import { resolve } from 'node:path'
import {
  LIFETIME,
  refuseDatabaseUrl,
  refusePlainHttp,
  refuseSecret,
  SAMPLE_DATABASE_URL,
  SECRET_RULE,
  setting
} from './definition.js'
import { choice, issuerUrl, milliseconds, postgresUrl, seconds, secretBytes, text, whole } from './types.js'

/** Where the service stands, who it is, and how long what it issues is good. */
export const IDENTITY_SETTINGS = {
  environment: setting({
    name: 'NODE_ENV',
    type: choice('development', 'production', 'test'),
    default: 'development',
    allowed: '`development`, `production` or `test`',
    example: 'production',
    description: '`production` turns the safety checks on'
  }),
  host: setting({
    name: 'HOST',
    type: text('^[A-Za-z0-9.:_-]+$', 255),
    default: '127.0.0.1',
    shownDefault: '`127.0.0.1` (`0.0.0.0` in the image)',
    allowed: 'an address or a host name',
    example: '0.0.0.0',
    description: 'The address to listen at'
  }),
  port: setting({
    name: 'PORT',
    type: whole(0, 65535),
    default: '3000',
    allowed: 'a whole number from 0 to 65535; 0 takes any free port',
    example: '3000',
    description: 'The port to listen at'
  }),
  databaseUrl: setting({
    name: 'DATABASE_URL',
    type: postgresUrl(),
    default: undefined,
    shownDefault: 'an embedded PostgreSQL under `DATA_DIR`',
    allowed: 'a URL that begins with `postgres://` or `postgresql://`',
    example: SAMPLE_DATABASE_URL,
    description: 'The PostgreSQL server, version 14 or later; the TLS options of the URL are honoured',
    secret: true,
    refuse: refuseDatabaseUrl
  }),
  databaseTimeoutMs: setting({
    name: 'DATABASE_TIMEOUT',
    type: milliseconds('100ms', '60s'),
    default: '3s',
    allowed: 'a duration from `100ms` to `60s`',
    example: '3s',
    description: 'The longest that a request waits for the database, before it is answered with 503'
  }),
  dataDir: setting({
    name: 'DATA_DIR',
    type: { ...text('^[^\\u0000]+$', 4096), parse: (path: string) => resolve(path) },
    default: '.postern',
    allowed: 'the path of a folder',
    example: '/var/lib/postern',
    description: 'The embedded database and the generated secret, mode 0700'
  }),
  issuer: setting({
    name: 'ISSUER',
    type: issuerUrl(),
    default: 'http://localhost:3000/auth',
    shownDefault: '`http://localhost:3000/auth`; required in production',
    requiredInProduction: true,
    allowed: 'an absolute http or https URL without query, fragment, user or slash at the end',
    example: 'https://example.com/auth',
    description:
      'The URL under which applications reach `/auth`: the `iss` claim, the base of the metadata and of error types',
    refuse: refusePlainHttp
  }),
  audience: setting({
    name: 'AUDIENCE',
    type: text('^[\\x21-\\x7e]+$', 256),
    default: 'postern',
    allowed: 'up to 256 ASCII characters without spaces',
    example: 'https://api.example.com',
    description: 'The `aud` claim of access tokens'
  }),
  authSecret: setting({
    name: 'AUTH_SECRET',
    type: secretBytes(),
    default: undefined,
    shownDefault: 'generated and kept in `DATA_DIR` with the embedded database; required with `DATABASE_URL`',
    allowed: SECRET_RULE,
    example: 'sample-replace-me-by-what-npm-run-secret-prints',
    description: 'What refresh tokens are signed with and signing keys are encrypted with',
    secret: true,
    refuse: refuseSecret
  }),
  authSecretPrevious: setting({
    name: 'AUTH_SECRET_PREVIOUS',
    type: secretBytes(),
    default: undefined,
    allowed: SECRET_RULE,
    example: 'sample-replace-me-by-the-secret-before-this-one',
    description: 'Accepted beside `AUTH_SECRET`, to change it with nobody logged out: add the new one here, swap, drop',
    secret: true,
    refuse: refuseSecret
  }),
  jwtSecret: setting({
    name: 'JWT_SECRET',
    type: secretBytes(),
    default: undefined,
    allowed: SECRET_RULE,
    example: 'sample-replace-me-by-another-one-of-npm-run-secret',
    description: 'Access tokens are then signed with HS256 under it, and there is no public key',
    secret: true,
    refuse: refuseSecret
  }),
  jwtAlgorithm: setting({
    name: 'JWT_ALGORITHM',
    type: choice('ES256', 'EdDSA', 'RS256'),
    default: 'ES256',
    allowed: '`ES256`, `EdDSA` or `RS256`',
    example: 'EdDSA',
    description: 'The algorithm of new signing keys, without `JWT_SECRET`'
  }),
  accessTokenTtlSeconds: setting({
    name: 'ACCESS_TOKEN_TTL',
    type: seconds('1s', '365d'),
    default: '24h',
    allowed: `${LIFETIME}, \`1s\` or more`,
    example: '15m',
    description: 'The life of an access token, never longer than its session; not above `SESSION_TTL`'
  }),
  refreshTokenTtlSeconds: setting({
    name: 'REFRESH_TOKEN_TTL',
    type: seconds('1s', '3650d'),
    default: '7d',
    allowed: `${LIFETIME}, \`1s\` or more`,
    example: '14d',
    description: 'A session that is not refreshed for so long ends'
  }),
  sessionTtlSeconds: setting({
    name: 'SESSION_TTL',
    type: seconds('1s', '3650d'),
    default: '30d',
    allowed: `${LIFETIME}, \`1s\` or more`,
    example: '90d',
    description: 'A session ends after so long, however often it is refreshed'
  }),
  refreshReuseIntervalSeconds: setting({
    name: 'REFRESH_REUSE_INTERVAL',
    type: seconds('0s', '60s'),
    default: '10s',
    allowed: 'a duration in whole seconds from `0s` to `60s`',
    example: '10s',
    description: 'How long the refresh token before the newest one still gets the same answer again'
  })
} as const
