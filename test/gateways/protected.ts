import type { Test } from 'tap'
import { ask, json, newAddress } from './client.js'
import { essence } from './one-instance.js'
import type { Received, World } from './world.js'

export const STRANGER = '01909c70-3c4f-7d1a-9d3e-0f1e2d3c4b5a'

/** The values of a header as the API got it, by any spelling that an API may take for this name. */
export function valuesOf({ headers }: Received, wanted: string): string[] {
  return headers.filter(([name]) => name.replaceAll(/[_.]/g, '-') === wanted).map(([, value]) => value)
}

/** The API knows exactly this identity. */
export function assertIdentity(
  t: Test,
  received: Received,
  user: { user_id: string; email: string },
  message: string
): void {
  t.strictSame(valuesOf(received, 'x-user-id'), [user.user_id], message)
  t.strictSame(valuesOf(received, 'x-user-email'), [user.email], message)
  t.equal(valuesOf(received, 'x-session-id').length, 1, message)
  t.not(valuesOf(received, 'x-session-id')[0], STRANGER, message)
  t.equal(valuesOf(received, 'x-auth-request-id').length, 1, message)
  t.notMatch(valuesOf(received, 'x-auth-request-id')[0], /spoofed/, message)
}

/** What comes of a question is the same through the gateway as from Postern itself. */
export const PROTECTED = {
  'the owner gets to the API, by every method, and the API knows who it is': async (t: Test, world: World) => {
    const user = await world.newUser()
    const path = `/api/${user.user_id}/files/7?page=2&q=a%20b`
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await ask({ method, path, token: user.token })
      t.match(answer, { status: 200, headers: { 'x-from': 'api' } }, method)
      t.match(answer.json, { method, url: path }, method)
      assertIdentity(t, answer.json, user, method)
    }
    t.equal((await ask({ method: 'HEAD', path, token: user.token })).status, 200)
    for (const own of [`/api/${user.user_id}`, `/api/${user.user_id}/`, `/api/${user.user_id.toUpperCase()}/x`]) {
      t.equal((await ask({ path: own, token: user.token })).status, 200, own)
    }
  },

  '401 and 403 are the words of Postern, and the API hears nothing of them': async (t: Test, world: World) => {
    const user = await world.newUser()
    const other = await world.newUser()
    const over = await world.newUser()
    await ask({ method: 'POST', path: '/auth/logout', token: over.token })
    const before = world.received.length
    const refused: [path: string, token: string | undefined, status: number, code: string][] = [
      [`/api/${user.user_id}`, undefined, 401, 'missing_token'],
      [`/api/${user.user_id}`, 'nonsense', 401, 'invalid_token'],
      [`/api/${user.user_id}`, `${user.token}x`, 401, 'invalid_token'],
      [`/api/${over.user_id}`, over.token, 401, 'session_ended'],
      [`/api/${other.user_id}`, user.token, 403, 'not_your_resource'],
      [`/api/${other.user_id}/files?owner=${user.user_id}`, user.token, 403, 'not_your_resource'],
      [`/api/${other.user_id.toUpperCase()}/files`, user.token, 403, 'not_your_resource'],
      ['/api/me', user.token, 403, 'not_your_resource'],
      [`/api/${user.user_id};a=1/files`, user.token, 400, 'invalid_request']
    ]
    for (const [path, token, status, code] of refused) {
      const asked = { path, ...(token !== undefined && { token }) }
      const through = await ask({ ...asked, from: newAddress() })
      t.match(through, { status, json: { code, status } }, `${code} ${path}`)
      const header: [string, string] = ['X-Original-URI', path]
      const question = '/auth/verify?owner_path=/api/:user_id/*'
      const direct = await ask({
        ...asked,
        path: question,
        headers: [header],
        port: world.first.port,
        from: newAddress()
      })
      t.strictSame(essence(through), essence(direct), `${code} ${path}`)
    }
    t.equal(world.received.length, before)
  },

  'a stranger at a path is one event, of the address of the client': async (t: Test, world: World) => {
    const user = await world.newUser()
    const from = newAddress()
    const answer = await ask({
      path: `/api/${STRANGER}/files`,
      token: user.token,
      headers: [
        ['X-Forwarded-For', '203.0.113.9'],
        ['User-Agent', 'a browser']
      ],
      from
    })
    t.equal(answer.status, 403)
    const rows = await world.sql`select event_type, failure_reason, host(ip_address) as address, user_agent, details,
      request_id from postern.auth_events where user_id = ${user.user_id} and event_type = 'ownership_denied'`
    t.equal(rows.length, 1)
    t.match(rows[0], {
      failure_reason: 'not_owner',
      address: from,
      user_agent: 'a browser',
      details: { requested_user_id: STRANGER },
      request_id: answer.json.request_id
    })
  },

  'a body of any length gets to the API and never to Postern': async (t: Test, world: World) => {
    const user = await world.newUser()
    const path = `/api/${user.user_id}/upload`
    const body = Buffer.alloc(3_000_000, 'postern ')
    const whole = (await ask({ method: 'POST', path, token: user.token, body })).json
    t.match(whole, { bytes: body.length, method: 'POST' })
    const chunked = {
      method: 'PUT',
      path,
      token: user.token,
      body,
      headers: [['Transfer-Encoding', 'chunked']] as [string, string][]
    }
    t.match((await ask(chunked)).json, { bytes: body.length, sha256: whole.sha256, method: 'PUT' })
    for (const type of ['nonsense', 'application/json', 'multipart/form-data; boundary=x']) {
      const headers: [string, string][] = [['Content-Type', type]]
      const answer = await ask({ method: 'POST', path, token: user.token, headers, body: '{' })
      t.match(answer, { status: 200, json: { bytes: 1 } }, type)
      t.strictSame(valuesOf(answer.json, 'content-type'), [type])
    }
    const before = world.received.length
    t.equal(
      (await ask({ method: 'POST', path: `/api/${STRANGER}`, token: user.token, body: 'x'.repeat(1000) })).status,
      403
    )
    t.equal(world.received.length, before)
  },

  'a header of 10 KB passes': async (t: Test, world: World) => {
    const user = await world.newUser()
    const long: [string, string] = ['X-Long', 'x'.repeat(10_240)]
    const answer = await ask({ path: `/api/${user.user_id}`, token: user.token, headers: [long] })
    t.equal(answer.status, 200)
    t.strictSame(valuesOf(answer.json, 'x-long'), [long[1]])
    t.equal((await ask({ path: '/auth/me', token: user.token, headers: [long] })).status, 200)
  },

  'a logout counts at the next request, whichever instance is asked': async (t: Test, world: World) => {
    const user = await world.newUser()
    const path = `/api/${user.user_id}`
    for (let tries = 0; tries < 4; tries += 1) t.equal((await ask({ path, token: user.token })).status, 200)
    t.equal(
      (await ask({ method: 'POST', path: '/auth/logout', token: user.token, headers: [json], body: '{}' })).status,
      200
    )
    for (let tries = 0; tries < 4; tries += 1) {
      t.match(await ask({ path, token: user.token }), { status: 401, json: { code: 'session_ended' } })
    }
  }
}
