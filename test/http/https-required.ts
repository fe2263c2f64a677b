import t from 'tap'
import { createShell, listen, raw } from '../fixtures/shell.js'

const HSTS = 'max-age=31536000'

interface Case {
  production?: boolean
  trustProxy?: string[]
}

async function ask(t: Parameters<typeof createShell>[0], options: Case) {
  const app = await createShell(t, (scope) => void scope.get('/auth/hello', async () => ({})), options)
  const port = await listen(app)
  return async (headers: string, path = '/auth/hello') => {
    const [answer] = await raw(port, `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n`)
    return { status: answer?.status, hsts: answer?.headers['strict-transport-security'], body: answer?.body }
  }
}

const behindProxy = { production: true, trustProxy: ['loopback'] }

t.test('what a trusted proxy marks as plain http is refused, never redirected', async (t) => {
  const get = await ask(t, behindProxy)
  for (const value of [
    'http',
    'HTTP',
    'https,http',
    'https, http',
    'ftp',
    'https;',
    'https,',
    'https http',
    '"https"'
  ]) {
    const { status, hsts, body } = await get(`X-Forwarded-Proto: ${value}\r\n`)
    t.strictSame([status, hsts, JSON.parse(body ?? '{}').code], [403, undefined, 'https_required'], value)
  }
  const twice = await get('X-Forwarded-Proto: https\r\nx-forwarded-proto: http\r\n')
  t.equal(twice.status, 403)
  t.equal((await get('X-Forwarded-Proto: http\r\n', '/auth/nothing')).status, 403)
})

t.test('what it marks as https passes, and is told to stay there', async (t) => {
  const get = await ask(t, behindProxy)
  for (const value of ['https', 'HTTPS', 'http,https', ' https ']) {
    const { status, hsts } = await get(`X-Forwarded-Proto: ${value}\r\n`)
    t.strictSame([status, hsts], [200, HSTS], value)
  }
  t.strictSame((await get('X-Forwarded-Proto: https\r\n', '/auth/nothing')).hsts, HSTS)
})

t.test('a request without the mark came from inside', async (t) => {
  const get = await ask(t, behindProxy)
  t.strictSame(await get(''), { status: 200, hsts: undefined, body: '{}' })
  t.equal((await get('X-Forwarded-Proto:\r\n')).status, 200)
})

t.test('the mark of a peer that is not trusted is not read', async (t) => {
  const get = await ask(t, { production: true, trustProxy: ['10.0.0.0/8'] })
  t.strictSame(await get('X-Forwarded-Proto: http\r\n'), { status: 200, hsts: undefined, body: '{}' })
  t.strictSame(await get('X-Forwarded-Proto: https\r\n'), { status: 200, hsts: undefined, body: '{}' })
})

t.test('outside production plain http is served', async (t) => {
  const get = await ask(t, { trustProxy: ['loopback'] })
  t.equal((await get('X-Forwarded-Proto: http\r\n')).status, 200)
})
