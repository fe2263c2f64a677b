/** Every attempt counts, in whatever spelling; the rules for malformed requests stand behind the limit. */
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createApp } from '../fixtures/app.js'
import { listen, raw } from '../fixtures/shell.js'

const GOOD = ['Host: a', 'Content-Type: application/json', 'Content-Length: 2']

/** Ways to send an attempt that is refused for its form, each as the target and the headers. */
const MALFORMED: Record<string, { target?: string; headers?: string[]; without?: string }> = {
  'two Authorization headers': { headers: ['Authorization: Bearer a', 'authorization: Bearer b'] },
  'two Content-Type headers': { headers: ['Content-Type: text/plain'] },
  'two Host headers': { headers: ['Host: b'] },
  'no Host header': { without: 'Host: a' },
  'a Host that is none': { headers: ['Host: a b'], without: 'Host: a' },
  'a coding besides chunked': { headers: ['Transfer-Encoding: gzip, chunked'], without: 'Content-Length: 2' },
  'a fragment in the target': { target: '/auth/login#x' },
  'a query': { target: '/auth/login?x=1' },
  'another type': { headers: ['Content-Type: text/plain'], without: 'Content-Type: application/json' },
  'an expectation': { headers: ['Expect: 100-continue'] }
}

/** Sends attempts from one client, each over a connection of its own; the status and code of each answer. */
async function attempts(port: number, client: string, lines: string[], target = '/auth/login') {
  const head = [`POST ${target} HTTP/1.1`, ...lines, `X-Forwarded-For: ${client}`, 'Connection: close']
  const answers = []
  for (let made = 0; made < 6; made += 1) {
    const [answer] = await raw(port, `${head.join('\r\n')}\r\n\r\n{}`)
    answers.push(`${answer?.status} ${JSON.parse(answer?.body ?? '{}').code}`)
  }
  return answers
}

async function start(t: Parameters<typeof createApp>[0], production: boolean): Promise<[number, FastifyInstance]> {
  const { app } = await createApp(t, { config: { trustProxy: ['loopback'], production } })
  return [await listen(app), app]
}

t.test('a malformed attempt counts like any other: the sixth is 429, and so is a good one after it', async (t) => {
  const [port, app] = await start(t, false)
  for (const [index, [name, { target, headers = [], without }]] of Object.entries(MALFORMED).entries()) {
    const client = `203.0.113.${index}`
    const lines = [...GOOD.filter((line) => line !== without), ...headers]
    const answers = await attempts(port, client, lines, target)
    const sixth = answers.pop()
    t.ok(
      answers.every((answer) => /^4(?:00|15) /.test(answer)),
      `${name}: ${answers}`
    )
    t.equal(sixth, '429 rate_limited', name)
    const good = await app.inject({
      method: 'POST',
      url: '/auth/login',
      headers: { 'x-forwarded-for': client },
      payload: { email: 'ada@example.com', password: 'Correct1horse' },
      remoteAddress: '127.0.0.1'
    })
    t.equal(good.statusCode, 429, name)
  }
})

t.test('an attempt by plain http in production counts like any other', async (t) => {
  const [port] = await start(t, true)
  const answers = await attempts(port, '203.0.113.1', [...GOOD, 'X-Forwarded-Proto: http'])
  t.strictSame(answers, [...Array(5).fill('403 https_required'), '429 rate_limited'])
})
