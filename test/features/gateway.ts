import t from 'tap'
import { createApp, newUser } from '../fixtures/app.js'
import { asker, CONTRACTS, ODD_PATHS, STRANGER, withRules } from '../fixtures/gateway.js'
import { unlimited } from '../fixtures/sessions.js'

for (const contract of Object.keys(CONTRACTS)) {
  t.test(`${contract}: whose path it is decides`, async (t) => {
    const app = await createApp(t, { config: withRules })
    const { http, sql } = app
    const ask = await asker(app)
    const user = await newUser(http)
    const id = user.user_id
    const answers: [path: string, status: number][] = [
      [`/api/${id}`, 200],
      [`/api/${id}/`, 200],
      [`/api/${id}/orders/7?for=${STRANGER}`, 200],
      [`/api/${id.toUpperCase()}/orders`, 200],
      [`/api/%${id.charCodeAt(0).toString(16)}${id.slice(1)}/orders`, 200],
      [`/v1/owners/${id}/report`, 200],
      ['/', 200],
      ['/api', 200],
      ['/api/', 200],
      ['/public/x', 200],
      [`/users/${STRANGER}/below`, 200],
      [`/v1/owners/${STRANGER}/other`, 200],
      [`/api/${STRANGER}`, 403],
      [`/api/${STRANGER}/`, 403],
      [`/api/${STRANGER}/orders?for=${id}`, 403],
      [`/API/${STRANGER}/orders`, 403],
      [`/%61pi/${STRANGER}`, 403],
      [`/users/${STRANGER}`, 403],
      [`/users/${STRANGER}/`, 403],
      [`/V1/Owners/${STRANGER}/Report`, 403],
      ['/api/me/orders', 403],
      [`/api/${id}x`, 403],
      [`/api/${id}%20`, 403],
      [`/api/${id}./orders`, 403]
    ]
    for (const [path, status] of answers) {
      t.equal((await ask(contract, path, user.token)).status, status, path)
    }
    const events = await sql`select user_id, email, session_id is not null as has_session, success, failure_reason,
      request_id is not null as has_request, details from postern.auth_events where event_type = 'ownership_denied'`
    t.equal(events.length, answers.filter(([, status]) => status === 403).length, 'one event for each 403')
    for (const event of events) {
      t.match(event, {
        user_id: id,
        email: user.email,
        has_session: true,
        success: false,
        failure_reason: 'not_owner',
        has_request: true
      })
    }
    const named = events.map(({ details }) => details?.requested_user_id).filter((one) => one !== undefined)
    t.strictSame([...new Set(named)], [STRANGER], 'only what is an id is put on record')
  })

  t.test(`${contract}: every odd spelling is 400, of one's own path too, and is no event`, async (t) => {
    const app = await createApp(t, { config: withRules })
    const { http, sql } = app
    const ask = await asker(app)
    const user = await newUser(http)
    for (const id of [user.user_id, STRANGER]) {
      for (const path of ODD_PATHS.map((odd) => odd.replace('ID', id))) {
        const { status, body, text } = await ask(contract, path, user.token)
        t.strictSame([status, body?.code], [400, 'invalid_request'], path)
        t.notMatch(text, id, 'the path is not repeated')
      }
    }
    const [row] = await sql`select count(*)::int as denied from postern.auth_events where not success`
    t.equal(row?.denied, 0)
  })

  t.test(`${contract}: the token is judged before the path, and the path before its owner`, async (t) => {
    const app = await createApp(t, { config: withRules })
    const { http } = app
    const ask = await asker(app)
    const { token } = await newUser(http)
    for (const path of [...ODD_PATHS, `/api/${STRANGER}`, '/public']) {
      t.strictSame((await ask(contract, path)).body?.code, 'missing_token', path)
      t.strictSame((await ask(contract, path, `${token}x`)).body?.code, 'invalid_token', path)
    }
    t.equal((await ask(contract, `/api/${STRANGER}/../x`, token)).status, 400)
  })

  t.test(`${contract}: without any rule a path is authenticated only, and odd spellings stay 400`, async (t) => {
    const app = await createApp(t, { config: unlimited })
    const { http } = app
    const ask = await asker(app)
    const { token } = await newUser(http)
    t.equal((await ask(contract, `/api/${STRANGER}/x`, token)).status, 200)
    for (const path of ODD_PATHS) t.equal((await ask(contract, path, token)).status, 400, path)
  })
}
