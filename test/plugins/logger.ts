import Fastify from 'fastify'
import t from 'tap'
import { createLogger, RequestLog } from '../../src/plugins/logger.js'

async function logged(write: (logger: Awaited<ReturnType<typeof createLogger>>) => unknown): Promise<string> {
  let text = ''
  const destination = {
    write: (line: string) => {
      text += line
    }
  }
  await write(await createLogger({ level: 'trace', destination }))
  return text
}

t.test('a line is one JSON object with the time in UTC', async (t) => {
  const text = await logged((logger) => logger.info({ note: 'a\nb\u2028c' }, 'hello'))
  t.equal(text.trimEnd().split(/[\n\u2028]/).length, 1)
  const line = JSON.parse(text)
  t.match(line, { level: 'info', note: 'a\nb\u2028c', msg: 'hello' })
  t.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})

t.test('control characters from outside reach no terminal', async (t) => {
  const text = await logged((logger) => logger.info({ agent: '\x1b[31m\x9b31m\x7f\u202e' }))
  t.notMatch(text.trimEnd(), /[\p{Cc}\u202e]/u)
})

t.test('an error is logged without what it carries from the request or the database', async (t) => {
  const error = Object.assign(new Error('Failed query: insert … params: canary'), {
    params: ['canary'],
    rawPacket: Buffer.from('canary'),
    detail: 'canary',
    code: 'X1'
  })
  for (const key of ['err', 'error']) {
    const text = await logged((logger) => logger.error({ [key]: error }, 'failed'))
    t.match(text, 'X1')
    t.notMatch(text, /canary|rawPacket/)
  }
  t.notMatch(await logged((logger) => logger.error(error, 'failed')), /canary|rawPacket/)
  t.notMatch(await logged((logger) => logger.error(error)), /canary|rawPacket/)
  t.notMatch(await logged((logger) => logger.child({ request_id: 'x' }).debug({ err: error })), /canary|rawPacket/)
})

t.test('a token that a client puts into a path stays out of the log', async (t) => {
  const token = `prt_${'A1b2'.repeat(18)}`
  const text = await logged(async (loggerInstance) => {
    const app = Fastify({ loggerInstance, logController: new RequestLog() })
    for (const path of [`/auth/${token}`, `/auth/me%3faccess_token=${token}`, `/auth/verify;t=${token}/x`]) {
      await app.inject({ url: path })
    }
    await app.close()
  })
  t.notMatch(text, 'A1b2A1b2')
  const paths = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).path)
  t.strictSame(paths, ['/auth/…', '/auth/…', '/auth/…/x'])
})

t.test('a request is one line, by its route, without query, headers or body', async (t) => {
  const text = await logged(async (loggerInstance) => {
    const app = Fastify({ loggerInstance, logController: new RequestLog(), genReqId: () => 'request-1' })
    app.post('/things/:id', async () => ({ canary: 'canary' }))
    await app.inject({
      method: 'POST',
      url: '/things/canary?token=canary',
      headers: { authorization: 'Bearer canary', cookie: 'canary' },
      payload: { password: 'canary' }
    })
    await app.inject({ url: '/no\x1bwhere?token=canary' })
    await app.close()
  })
  const lines = text.trimEnd().split('\n')
  t.equal(lines.length, 2)
  t.notMatch(text, 'canary')
  t.match(JSON.parse(lines[0] as string), {
    method: 'POST',
    path: '/things/:id',
    status: 200,
    ms: Number,
    address: '127.0.0.1',
    request_id: 'request-1'
  })
  t.match(JSON.parse(lines[1] as string), { path: /^\/no.*where$/, status: 404 })
})
