import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createLive } from '../../src/features/monitoring/live.js'
import { SHOWN } from '../../src/lib/email-view.js'
import { type AdminApp, createAdminApp, newAdmin, trail } from '../fixtures/admin.js'
import { newUser } from '../fixtures/app.js'
import { until } from '../fixtures/database.js'

type Line = { event_type?: string; email?: string; missed?: boolean; details?: Record<string, unknown> }

/** A live stream over a real socket. */
async function watch(t: Test, app: AdminApp, { token = app.admin.token, query = '' } = {}) {
  if (!app.app.server.listening) await app.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.app.server.address() as AddressInfo
  const headers = { authorization: `Bearer ${token}` }
  const asked = httpRequest({ host: '127.0.0.1', port, path: `/admin/api/events/live${query}`, headers }).end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  t.teardown(() => answer.destroy())
  let text = ''
  answer.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  const ended = once(answer, 'close')
  const lines = (): Line[] =>
    text
      .split('\n')
      .slice(0, -1)
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  return { answer, lines, ended }
}

const has = (lines: Line[], type: string) => lines.some(({ event_type }) => event_type === type)

t.test('the live trail begins with the newest events and goes on with what comes, each once', async (t) => {
  const app = await createAdminApp(t)
  const { answer, lines } = await watch(t, app)
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], 'application/x-ndjson')
  await until(async () => has(lines(), 'admin_action'))
  t.ok(has(lines(), 'signup'), 'what was there')
  const user = await newUser(app.http)
  await until(async () => lines().some(({ email }) => email === user.email))
  await app.http('POST', '/auth/logout', { token: user.token })
  await until(async () => has(lines(), 'logout'))
  const ids = lines().map((line) => JSON.stringify(line))
  t.equal(new Set(ids).size, ids.length)
  const looks = (await trail(app)).filter(({ details }) => details?.action === 'events.live')
  t.equal(looks.length, 1, 'however long one looks on, it is one event')
})

t.test('the live trail hides emails where it is asked to', async (t) => {
  const app = await createAdminApp(t)
  const { lines } = await watch(t, app, { query: '?emails=masked' })
  await until(async () => has(lines(), 'signup'))
  t.notMatch(JSON.stringify(lines()), app.admin.email)
})

t.test('the live trail is for admins alone, and ends when the session or the role does', async (t) => {
  const app = await createAdminApp(t)
  const user = await newUser(app.http)
  t.equal((await watch(t, app, { token: user.token })).answer.statusCode, 403)
  const one = await watch(t, app, { token: (await newAdmin(app)).token })
  const other = await newAdmin(app)
  const two = await watch(t, app, { token: other.token })
  t.equal(two.answer.statusCode, 200)
  await app.sql`update postern.users set role = 'user' where id = ${other.user_id}`
  await two.ended
  t.ok(two.answer.complete, 'in order')
  await app.sql`update postern.sessions set ended_at = now()`
  await one.ended
  const last = await newUser(app.http)
  t.notOk(one.lines().some(({ email }) => email === last.email))
})

t.test('the live trail ends in order when the service stops', async (t) => {
  const app = await createAdminApp(t)
  const { answer, ended } = await watch(t, app)
  const closed = app.app.close()
  await ended
  t.ok(answer.complete)
  await closed
})

t.test('more events than a round holds are told as missed, and a reader who does not read holds nothing', async (t) => {
  const app = await createAdminApp(t)
  const { lines } = await watch(t, app)
  await until(async () => lines().length > 0)
  await app.sql`insert into postern.auth_events (id, event_type, success)
    select gen_random_uuid(), 'refresh', true from generate_series(1, 500)`
  await until(async () => lines().some(({ missed }) => missed === true))
  t.equal(lines().filter(({ event_type }) => event_type === 'refresh').length, 100)

  const live = createLive({ db: app.app.db, check: async () => true, everyMs: 5 })
  const stream = await live.open({ token: '', emails: SHOWN, backlog: 5 })
  for (let n = 0; n < 60; n += 1) {
    await app.sql`insert into postern.auth_events (id, event_type, success, user_agent)
      select gen_random_uuid(), 'refresh', true, repeat('x', 500) from generate_series(1, 90)`
  }
  t.ok(stream.readableLength < 512 * 1024, `${stream.readableLength} bytes wait`)
  live.close()
})

t.test('no more than twenty look on at an instance, and who leaves makes room', async (t) => {
  const app = await createAdminApp(t)
  const live = createLive({ db: app.app.db, check: async () => true })
  const open = () => live.open({ token: '', emails: SHOWN, backlog: 5 })
  const streams = await Promise.all(Array.from({ length: 20 }, open))
  await t.rejects(open(), { code: 'unavailable' })
  streams[0]?.destroy()
  await once(streams[0] as NodeJS.ReadableStream, 'close')
  t.ok(await open())
  live.close()
})
