import t from 'tap'
import { parseDatabaseUrl } from '../../../src/lib/database-url.js'
import { Dialer } from '../../../src/plugins/database/dialer.js'
import { openSessions } from '../../../src/plugins/database/pool.js'
import { createDatabaseApp, until } from '../../fixtures/database.js'
import { createDatabase } from '../../fixtures/postgres.js'
import { createRelay, tlsFile } from '../../fixtures/relay.js'
import { createServer } from '../../fixtures/server.js'

const ROOT = `sslrootcert=${encodeURIComponent(tlsFile('ca.pem'))}`
const CLIENT = `sslcert=${encodeURIComponent(tlsFile('server.pem'))}&sslkey=${encodeURIComponent(tlsFile('server.key'))}`
const TLS = { ssl: 'on', ssl_cert_file: 'server.pem', ssl_key_file: 'server.key', ssl_ca_file: 'ca.pem' }

/** The version of TLS that a session has by this URL, `plain` without, or the code of the error. */
async function connection(url: string): Promise<unknown> {
  const target = parseDatabaseUrl(url)
  const dialer = new Dialer(target)
  const sql = openSessions(target, dialer, { connectMs: 10_000, deadlineMs: 10_000, max: 1, prepare: false })
  try {
    const [row] = await sql`select ssl, version from pg_stat_ssl where pid = pg_backend_pid()`
    return row?.ssl ? row.version : 'plain'
  } catch (error) {
    return (error as { code?: unknown }).code
  } finally {
    await sql.end({ timeout: 0 })
    dialer.close()
  }
}

const secure = await createServer(t, TLS)
const port = new URL(secure.url()).port
const by = (query: string, host = `localhost:${port}`) => connection(secure.url(query, host))

t.test('TLS is used where the server offers it, unless the URL says otherwise', async (t) => {
  t.equal(await by(''), 'TLSv1.3')
  t.equal(await by('?sslmode=prefer'), 'TLSv1.3')
  t.equal(await by('?sslmode=require'), 'TLSv1.3')
  t.equal(await by('?ssl=true'), 'TLSv1.3')
  t.equal(await by('?sslmode=require&sslnegotiation=direct'), 'TLSv1.3')
  t.equal(await by('?sslmode=disable'), 'plain')
})

t.test('verify-ca wants the root that is given, and verify-full the name of the host as well', async (t) => {
  t.equal(await by(`?sslmode=verify-ca&${ROOT}`), 'TLSv1.3')
  t.equal(await by(`?sslmode=verify-full&${ROOT}`), 'TLSv1.3')
  t.equal(await by(`?sslmode=verify-ca&${ROOT}`, `127.0.0.1:${port}`), 'TLSv1.3')
  t.equal(await by(`?sslmode=verify-full&${ROOT}`, `127.0.0.1:${port}`), 'ERR_TLS_CERT_ALTNAME_INVALID')
})

t.test('a certificate that no trusted root has signed is refused where it is checked', async (t) => {
  for (const query of ['?sslmode=verify-ca', '?sslmode=verify-full', '?sslrootcert=system']) {
    t.match(await by(query), /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_)/, query)
  }
  const other = `sslrootcert=${encodeURIComponent(tlsFile('server.pem'))}`
  t.match(
    await by(`?sslmode=require&${other}`),
    /^(?:UNABLE_TO_|SELF_SIGNED_)/,
    'as libpq: a root is there to be checked'
  )
})

t.test('an older version of TLS than the URL allows is refused', async (t) => {
  const old = await createServer(t, { ...TLS, ssl_max_protocol_version: 'TLSv1.2' })
  t.equal(await connection(old.url('?sslmode=require')), 'TLSv1.2')
  t.match(await connection(old.url('?sslmode=require&ssl_min_protocol_version=TLSv1.3')), /^(?:ERR_SSL|ECONNRESET)/)
})

t.test('a server that asks for a certificate gets the one of the URL', async (t) => {
  const strict = await createServer(t, TLS, 'hostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca')
  t.equal(await connection(strict.url(`?sslmode=require&${CLIENT}`)), 'TLSv1.3')
  t.match(await connection(strict.url('?sslmode=require')), /^(?:28000|ECONNRESET|ERR_SSL)/)
})

t.test('a server without TLS is refused where TLS is required, and the log says why', async (t) => {
  const plain = await createRelay(t, await createDatabase(t, { empty: true }))
  t.equal(await connection(plain.url('?sslmode=prefer')), 'plain')
  t.equal(await connection(plain.url('?sslmode=require')), 'NO_TLS')
  t.equal(await connection(plain.url(`?sslmode=verify-full&${ROOT}`)), 'NO_TLS')
  const { app, lines } = await createDatabaseApp(t, plain.url('?sslmode=require'))
  await app.ready()
  await until(() => lines.some(({ reason }) => /does not offer TLS/.test(String(reason))))
  t.equal(app.database.state(), 'unavailable')
})

t.test('bytes that somebody put before the handshake end the attempt (CVE-2021-23222)', async (t) => {
  const databaseUrl = await createDatabase(t, { empty: true })
  for (const answer of ['SR', 'E', 'NN', 'HTTP/1.1 400 Bad Request\r\n']) {
    const relay = await createRelay(t, databaseUrl, { answer })
    t.equal(await connection(relay.url('?sslmode=require')), 'NO_TLS', answer)
    t.equal(await connection(relay.url('?sslmode=prefer')), 'NO_TLS', answer)
  }
})

t.test('what prefer finds broken it does without, and require does not', async (t) => {
  const relay = await createRelay(t, await createDatabase(t, { empty: true }), { answer: 'S' })
  t.equal(await connection(relay.url('?sslmode=prefer&ssl_min_protocol_version=TLSv1.2')), 'plain')
})
