import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import t from 'tap'
import { newUser, password } from '../fixtures/app.js'
import { launch, open, servedApp, signedIn } from '../fixtures/browser.js'
import { ordinaryTraffic } from '../fixtures/traffic.js'

const browser = await launch(t)
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const app = await servedApp(t)
const user = await newUser(app.http)
await app.http('POST', '/auth/login', { body: { email: user.email, password } })
await app.http('POST', '/auth/refresh', { body: { refresh_token: user.refresh_token } })
await ordinaryTraffic(app.sql, { events: 3000, seconds: 86_000, users: 300 })
await app.sql`insert into postern.auth_events (id, event_type, email, ip_address, success, failure_reason, created_at)
  select gen_random_uuid(), 'login', 'x' || n % 30 || '@example.com', '203.0.113.66', false, 'wrong_password',
    now() - make_interval(secs => n * 30) from generate_series(1, 400) as n`
await app.app.keys.rotate({ force: true })

const VIEWS = ['overview', 'users', `users/${user.user_id}`, 'events', 'insights', 'keys', 'settings', 'none']

/** What axe finds that keeps somebody out: serious and critical. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

async function show(page: Page, view: string): Promise<void> {
  await page.goto(`${app.origin}/admin/#/${view}`)
  await page.locator('main[aria-busy]').waitFor({ state: 'detached' })
  if (view === 'overview') await page.locator('.tail li').first().waitFor()
  for (const more of await page.getByRole('button', { name: /^Details of/ }).all()) {
    await more.click()
    break
  }
}

for (const colorScheme of ['light', 'dark'] as const) {
  t.test(
    `in ${colorScheme} nobody is kept out, on a desk or at 400 pixels, and nothing scrolls sideways`,
    async (t) => {
      const { page, faults } = await signedIn(t, browser, app, { colorScheme })
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      const [red = 0] = background.match(/\d+/g)?.map(Number) ?? []
      t.ok(colorScheme === 'dark' ? red < 60 : red > 200, background)
      for (const width of [1200, 400]) {
        await page.setViewportSize({ width, height: 900 })
        for (const view of VIEWS) {
          await show(page, view)
          t.strictSame(await barriers(page), [], `${view} at ${width}`)
          const wide = await page.evaluate(() => document.documentElement.scrollWidth)
          t.ok(wide <= width, `${view} at ${width} is ${wide} wide`)
          const text = await page.evaluate(() => document.querySelector('main')?.textContent.length ?? 0)
          t.ok(text > 10, view)
        }
      }
      t.strictSame(faults(), [])
    }
  )

  t.test(`in ${colorScheme} the door and the dialogs keep nobody out`, async (t) => {
    const { page } = await open(t, browser, { origin: app.origin, colorScheme })
    await page.getByLabel('Email').waitFor()
    t.strictSame(await barriers(page), [], 'the door')
    const { page: inside, faults } = await signedIn(t, browser, app, { colorScheme, hash: `#/users/${user.user_id}` })
    await inside.getByRole('button', { name: 'Deactivate' }).click()
    await inside.getByRole('dialog').waitFor()
    t.strictSame(await barriers(inside), [], 'a question')
    await inside.keyboard.press('Escape')
    await inside.keyboard.press('?')
    await inside.getByRole('dialog').waitFor()
    t.strictSame(await barriers(inside), [], 'the list of keys')
    t.strictSame(faults(), [])
  })
}

t.test('everything can be done from the keyboard, and the focus says where one is', async (t) => {
  const { page, faults } = await signedIn(t, browser, app)
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '')
  for (const [key, title] of [
    ['u', 'Users'],
    ['e', 'Events'],
    ['i', 'Insights'],
    ['k', 'Keys'],
    ['s', 'Settings'],
    ['o', 'Overview']
  ] as const) {
    await page.keyboard.press('g')
    await page.keyboard.press(key)
    await page.getByRole('heading', { name: title, exact: true }).waitFor()
    t.equal(await focused(), title)
  }
  await page.locator('.chart').focus()
  await page.keyboard.press('End')
  await page.locator('.tip').waitFor()
  const said = await page.locator('.tip').textContent()
  await page.keyboard.press('ArrowLeft')
  t.not(await page.locator('.tip').textContent(), said)
  await page.keyboard.press('Enter')
  await page.waitForURL(/#\/events\?type=login&from=.+&to=/)
  await page.getByRole('heading', { name: 'Events', exact: true }).waitFor()
  await page.keyboard.press('/')
  t.equal(await page.evaluate(() => document.activeElement?.tagName), 'SELECT')
  await page.goto(`${app.origin}/admin/#/keys`)
  const revoke = page.getByRole('button', { name: 'Revoke the next key' })
  await revoke.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  t.equal(await focused(), 'Cancel', 'the harmless answer is the nearest')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  t.equal(await focused(), 'Revoke')
  await page.keyboard.press('m')
  await page.getByRole('button', { name: 'Hide emails' }).waitFor()
  t.strictSame(faults(), [])
})

t.test('the chart has its numbers as a table too', async (t) => {
  const { page, faults } = await signedIn(t, browser, app)
  await page.getByText('The same as a table').click()
  const table = page.getByRole('table', { name: 'Logins over time' })
  await table.waitFor()
  const numbers = await table.getByRole('cell').getByRole('link').all()
  t.ok(numbers.length > 20)
  t.ok((await page.locator('.plot canvas').count()) === 1)
  t.strictSame(faults(), [])
})
