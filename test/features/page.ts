import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { EVENT_TYPES, FAILURE_REASONS } from '../../src/events.js'
import { packageRoot } from '../../src/lib/package-root.js'
import { createApp } from '../fixtures/app.js'

const FOLDER = join(packageRoot(), 'public', 'admin')
const sources = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name))
const { app, http, sql } = await createApp(t)
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8')

t.test('the page is served with a policy that lets nothing in from elsewhere and nothing out', async (t) => {
  const { status, headers, raw } = await http('GET', '/admin/')
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/html; charset=utf-8')
  t.strictSame(headers['content-security-policy']?.split('; ').sort(), [
    "base-uri 'none'",
    "connect-src 'self'",
    "default-src 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "img-src 'self'",
    "require-trusted-types-for 'script'",
    "script-src 'self'",
    "style-src 'self'",
    "trusted-types 'none'"
  ])
  t.match(headers, {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cache-control': 'no-cache'
  })
  t.equal(raw, read('index.html'))
  t.match(await http('GET', '/admin'), { status: 308, headers: { location: '/admin/' } })
})

t.test('every file of the page is there, under its type, and each that it names', async (t) => {
  const types: Record<string, string> = {
    js: 'text/javascript',
    css: 'text/css',
    svg: 'image/svg+xml',
    html: 'text/html'
  }
  const paths = [...sources.map((name) => (name === 'index.html' ? '' : name)), 'vendor/uplot.js', 'vendor/uplot.css']
  t.ok(paths.length > 20)
  for (const path of paths) {
    const { status, headers, raw } = await http('GET', `/admin/${path}`)
    const suffix = path.split('.').at(-1) || 'html'
    t.equal(status, 200, path)
    t.equal(headers['content-type'], `${types[suffix]}; charset=utf-8`, path)
    t.ok(headers['content-security-policy']?.includes("default-src 'none'"), path)
    t.ok(raw.length > 50, path)
    for (const [, named = ''] of raw.matchAll(/(?:from|href=|src=) ?["']([^"':#]+\.(?:js|css|svg))["']/g)) {
      if (path.startsWith('vendor/')) continue
      const { pathname } = new URL(named, `http://localhost/admin/${path}`)
      t.equal((await http('GET', pathname)).status, 200, `${path} names ${pathname}`)
    }
  }
})

t.test('a browser that has a file is told so by its bytes, not by its time', async (t) => {
  const { headers } = await http('GET', '/admin/main.js')
  const again = await http('GET', '/admin/main.js', { headers: { 'if-none-match': headers.etag ?? '' } })
  t.match({ status: again.status, raw: again.raw }, { status: 304, raw: '' })
  t.equal(again.headers['content-security-policy'], headers['content-security-policy'])
  t.notOk(headers['last-modified'])
  t.notSame((await http('GET', '/admin/api.js')).headers.etag, headers.etag)
  t.equal((await http('GET', '/admin/main.js', { headers: { 'if-none-match': '"old"' } })).status, 200)
  t.match(await http('HEAD', '/admin/'), { status: 200, raw: '' })
})

t.test('nothing outside the folder is served, however the path is spelled, and a miss is problem+json', async (t) => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const ask = async (path: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
    const answer = await text(socket)
    if (!socket.closed) await once(socket, 'close')
    return answer
  }
  const paths = [
    '/admin/../package.json',
    '/admin/..%2fpackage.json',
    '/admin/%2e%2e/package.json',
    '/admin/%2e%2e%2f%2e%2e%2fpackage.json',
    '/admin/..\\..\\package.json',
    '/admin/..%5c..%5cpackage.json',
    '/admin//etc/passwd',
    '/admin//index.html',
    '/admin/./index.html',
    '/admin/views/../main.js',
    '/admin/vendor/../../../package.json',
    '/admin/vendor/uPlot.cjs.js',
    '/admin/vendor/',
    '/admin/views/',
    '/admin/index.html',
    '/admin/main.js/',
    '/admin/MAIN.JS',
    '/admin/main.js%00',
    '/admin/none.js',
    '/ADMIN/',
    '//admin/',
    '/auth/admin/',
    '/auth/admin/main.js'
  ]
  for (const path of paths) {
    const answer = await ask(path)
    t.match(answer, /^HTTP\/1\.1 40[04] /, path)
    t.match(answer, /content-type: application\/problem\+json/i, path)
    t.notMatch(answer, /devDependencies|root:|<!doctype|import /i, path)
  }
  t.match(await ask('/admin/'), /^HTTP\/1\.1 200 /)
})

t.test('the page takes no other method and no query', async (t) => {
  t.match(await http('POST', '/admin/', { body: {} }), { status: 405, headers: { allow: 'GET, HEAD' } })
  t.match(await http('GET', '/admin/?x=1'), { status: 400, body: { code: 'invalid_request' } })
})

t.test('what everybody gets has no data in it: no account, no setting, no key', async (t) => {
  await http('POST', '/auth/signup', { body: { email: 'canary@example.com', password: 'Correct1horse' } })
  const [key] = await app.keys.list()
  const before = await sql`select count(*)::int as n from postern.auth_events`
  for (const name of sources) {
    const { raw } = await http('GET', `/admin/${name === 'index.html' ? '' : name}`)
    t.equal(raw, read(name), name)
    t.notMatch(raw, 'canary', name)
    t.notOk(raw.includes(key?.kid as string), name)
  }
  t.strictSame(await sql`select count(*)::int as n from postern.auth_events`, before, 'and is no event')
})

t.test('there is no script, no style and no handler within the markup, and no other host is named', async (t) => {
  const html = read('index.html')
  t.notMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i)
  for (const name of sources) {
    const source = read(name).replaceAll('http://www.w3.org/2000/svg', '')
    t.notMatch(source, /https?:\/\/|\bwss?:|\/\/[a-z]+\./i, name)
    t.notMatch(
      source,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\('style'/,
      name
    )
    t.notMatch(source, /localStorage\.|document\.cookie/, `${name} keeps nothing beyond the tab`)
  }
})

t.test('the lists of the filters are those of the service', async (t) => {
  const lists = (await import(join(FOLDER, 'lists.js'))) as Record<string, string[]>
  t.strictSame(lists.EVENT_TYPES, Object.keys(EVENT_TYPES))
  t.strictSame(lists.FAILURE_REASONS, Object.keys(FAILURE_REASONS))
})

t.test('the SQL that is copied says what the list says, and a filter cannot break out of it', async (t) => {
  await http('POST', '/auth/signup', { body: { email: 'ada@example.com', password: 'Correct1horse' } })
  const { asSql } = (await import(join(FOLDER, 'event-query.js'))) as { asSql(filter: Record<string, string>): string }
  const run = async (filter: Record<string, string>) =>
    (await sql.unsafe(asSql({ email: 'ada@example.com', ...filter }))).length
  t.equal(await run({ email: 'Ada@example.com' }), 1)
  t.equal(await run({ type: 'signup', success: 'true', ip: '127.0.0.1' }), 1)
  t.equal(await run({ type: 'signup', ip: '127.0.0.0/8', from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }), 1)
  t.equal(await run({ success: 'false' }), 0)
  t.equal(await run({ reason: "x' OR true; --" }), 0)
  t.notMatch(asSql({ email: 'ref_v1.AAAA' }), 'ref_v1')
})

t.test('what is copied for curl has no token in it and stays one word in a shell', async (t) => {
  const { asCurl } = (await import(join(FOLDER, 'event-query.js'))) as { asCurl(f: object, origin: string): string }
  const command = asCurl({ email: "o'neil; rm -rf $HOME@example.com" }, 'http://localhost:3000')
  t.match(command, '"Authorization: Bearer $TOKEN"')
  const [, url = ''] = /'(http:[^']*)'\n$/.exec(command) ?? []
  t.equal(new URL(url).searchParams.get('email'), "o'neil; rm -rf $HOME@example.com")
})
