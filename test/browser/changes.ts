import t from 'tap'
import { trail } from '../fixtures/admin.js'
import { newUser, password } from '../fixtures/app.js'
import { launch, servedApp, signedIn } from '../fixtures/browser.js'

const browser = await launch(t)

t.test('a session that is ended on the page is dead: access, refresh, on the spot', async (t) => {
  const app = await servedApp(t)
  const user = await newUser(app.http)
  const headers = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0' }
  const second = (await app.http('POST', '/auth/login', { body: { email: user.email, password }, headers })).body
  const { page, faults } = await signedIn(t, browser, app, { hash: `#/users/${user.user_id}` })
  const row = page.locator('.session', { hasText: 'Firefox on Linux' })
  await row.getByRole('button', { name: /^End the session of Firefox on Linux, 127\.0\.0\.1/ }).click()
  await page.getByRole('dialog').getByText('will end at once, on every instance').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  t.equal((await app.http('GET', '/auth/me', { token: second.token })).status, 200, 'nothing happens without a yes')
  await row.getByRole('button', { name: /^End the session/ }).click()
  await page.getByRole('button', { name: 'End the session', exact: true }).click()
  await row.waitFor({ state: 'detached' })
  t.match(await app.http('GET', '/auth/me', { token: second.token }), { status: 401, body: { code: 'session_ended' } })
  t.equal((await app.http('POST', '/auth/refresh', { body: { refresh_token: second.refresh_token } })).status, 401)
  t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 200, 'the other session goes on')
  t.strictSame(faults(), [])
})

t.test('a user is deactivated after a question that says what will happen', async (t) => {
  const app = await servedApp(t)
  const user = await newUser(app.http)
  await app.http('POST', '/auth/login', { body: { email: user.email, password } })
  const { page, faults } = await signedIn(t, browser, app, { hash: '#/users' })
  await page.keyboard.press('/')
  await page.keyboard.type(user.email)
  await page.keyboard.press('Enter')
  await page.waitForURL(/query=/)
  await page.locator('main[aria-busy]').waitFor({ state: 'detached' })
  await page.locator('tbody').getByRole('link').click()
  await page.getByRole('button', { name: 'Deactivate' }).click()
  const dialog = page.getByRole('dialog')
  t.match(
    await dialog.textContent(),
    /All 2 sessions will end at once[\s\S]*Signing in will be refused[\s\S]*it was you/
  )
  await dialog.getByRole('button', { name: 'Deactivate' }).click()
  await page.getByText('inactive', { exact: true }).waitFor()
  await page.getByText('None lives.').waitFor()
  t.equal((await app.http('GET', '/auth/me', { token: user.token })).status, 401)
  t.equal((await app.http('POST', '/auth/login', { body: { email: user.email, password } })).status, 401)
  const [change] = (await trail(app)).filter(({ event_type }) => event_type === 'user_updated')
  t.match(change?.details, { actor_user_id: app.admin.user_id, changes: { is_active: false }, sessions_ended: 2 })
  await page.getByRole('button', { name: 'Activate' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Activate' }).click()
  await page.getByText('active', { exact: true }).waitFor()
  t.equal((await app.http('POST', '/auth/login', { body: { email: user.email, password } })).status, 200)
  t.strictSame(faults(), [])
})

t.test('what the service refuses is said in its own words', async (t) => {
  const app = await servedApp(t)
  const { page } = await signedIn(t, browser, app, { hash: `#/users/${app.admin.user_id}` })
  await page.getByRole('button', { name: 'Take the admin role' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Take the admin role' }).click()
  await page.getByText('The last active admin can be neither switched off nor demoted.').waitFor()
  await page.goto(`${app.origin}/admin/#/users/${crypto.randomUUID()}`)
  await page.getByText('There is nothing here.').waitFor()
  await page.getByText(/^Request/).waitFor()
})

t.test('a key is rotated and revoked, and the page goes on with a new token', async (t) => {
  const app = await servedApp(t)
  const { page, faults } = await signedIn(t, browser, app, { hash: '#/keys' })
  await page.locator('.signing.next').getByText('A rotation need not be forced from').waitFor()
  await page.getByRole('button', { name: 'Rotate now' }).click()
  t.match(await page.getByRole('dialog').textContent(), 'has not been published for long enough')
  await page.getByRole('button', { name: 'Rotate all the same' }).click()
  await page.locator('.signing.previous').getByText('The last token that it can check expires').waitFor()
  t.strictSame((await app.app.keys.list()).map(({ state }) => state).sort(), ['current', 'next', 'previous'])
  await page.getByRole('button', { name: 'Revoke the previous key' }).click()
  await page.getByRole('button', { name: 'Revoke the key' }).click()
  await page.locator('.past').getByText('revoked', { exact: true }).waitFor()
  t.ok(
    faults().every((fault) => /status of 401/.test(fault)),
    'the token that was signed by it is refused once, and refreshed'
  )
  await page.goto(`${app.origin}/admin/#/settings`)
  await page.getByRole('heading', { name: 'Settings' }).waitFor()
})

t.test('settings are shown without a secret', async (t) => {
  const app = await servedApp(t)
  const { page, faults } = await signedIn(t, browser, app, { hash: '#/settings' })
  const row = page.getByRole('row', { name: /^AUTH_SECRET / })
  t.match(await row.textContent(), '•••••• set, and hidden')
  const content = await page.content()
  t.notMatch(content, app.config.authSecret?.toString('utf8') ?? '')
  t.notMatch(content, new URL(app.config.databaseUrl as string).password)
  t.match(await page.getByRole('row', { name: /^BCRYPT_COST / }).textContent(), /^BCRYPT_COST4environment/)
  t.strictSame(faults(), [])
})

t.test('the page renews its token in time, keeps its session over a reload, and ends it at sign out', async (t) => {
  const app = await servedApp(t, { accessTokenTtlSeconds: 2 })
  const { page, faults } = await signedIn(t, browser, app, { hash: '#/settings' })
  await page.waitForTimeout(1500)
  await page.goto(`${app.origin}/admin/#/users`)
  await page.getByRole('heading', { name: 'Users' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'Users' }).waitFor()
  const [session] = await app.sql`select * from postern.sessions where user_id = ${app.admin.user_id}
    and user_agent like '%Chrome%'`
  t.ok(session?.refresh_counter > 0)
  const stored = () => page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie])
  t.strictSame(await stored(), [1, 0, ''])
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are signed out.').waitFor()
  t.strictSame(await stored(), [0, 0, ''])
  const [after] = await app.sql`select ended_at from postern.sessions where id = ${session?.id}`
  t.ok(after?.ended_at)
  t.strictSame(faults(), [])
})

t.test('a copy of a tab lets go of the session, which two would be taken for a thief in', async (t) => {
  const app = await servedApp(t)
  const { page } = await signedIn(t, browser, app, { hash: '#/settings' })
  const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage }))
  const copy = await page.context().newPage()
  await copy.goto(`${app.origin}/admin/`)
  await copy.evaluate((text) => {
    for (const [name, value] of Object.entries(JSON.parse(text))) sessionStorage.setItem(name, String(value))
  }, stored)
  await copy.reload()
  await copy.getByText('This tab is a copy').waitFor()
  await page.goto(`${app.origin}/admin/#/users`)
  await page.getByRole('heading', { name: 'Users' }).waitFor()
})

t.test('whoever is switched off meanwhile is shown the door', async (t) => {
  const app = await servedApp(t)
  const { page } = await signedIn(t, browser, app, { hash: '#/settings' })
  await app.sql`update postern.sessions set ended_at = now() where user_id = ${app.admin.user_id}`
  await page.goto(`${app.origin}/admin/#/users`)
  await page.getByText('Your session has ended. Sign in again.').waitFor()
  t.equal(await page.evaluate(() => sessionStorage.length), 0)
})
