import { readFile } from 'node:fs/promises'
import t from 'tap'
import { trail } from '../fixtures/admin.js'
import { newUser } from '../fixtures/app.js'
import { fillIn, launch, open, servedApp, signedIn } from '../fixtures/browser.js'
import { serving } from '../fixtures/process.js'

const browser = await launch(t)

/** Forty failures of one address over twelve accounts in the last hour. */
async function plantSpraying({ sql }: Awaited<ReturnType<typeof servedApp>>): Promise<void> {
  await sql`insert into postern.auth_events
      (id, event_type, email, ip_address, user_agent, success, failure_reason, created_at)
    select gen_random_uuid(), 'login', 'canary-' || n % 12 || '@example.com', '203.0.113.66', 'python-requests/2.32.3', false,
      'wrong_password', now() - make_interval(secs => n) from generate_series(1, 40) as n`
}

t.test('only an admin gets in, and whoever is none leaves no session behind', async (t) => {
  const app = await servedApp(t)
  const user = await newUser(app.http)
  const { page, faults } = await open(t, browser, app)
  t.equal(await page.locator('main').count(), 1)
  t.equal(await page.title(), 'Sign in · Postern')
  await fillIn(page, user.email, 'Wrong1horse')
  await page.getByText('The email or the password is wrong.').waitFor()
  await fillIn(page, user.email)
  await page.getByText('This resource is for admins.').waitFor()
  const [row] = await app.sql`select count(*)::int as live from postern.sessions
    where user_id = ${user.user_id} and ended_at is null`
  t.equal(row?.live, 1, 'the one of the signup')
  await page.reload()
  await page.getByLabel('Password').waitFor()
  t.ok(
    faults().every((fault) => /status of (?:401|403)/.test(fault)),
    faults().join('\n')
  )
})

t.test('an admin sees what was planted, and follows a number to the list behind it', async (t) => {
  const app = await servedApp(t)
  await plantSpraying(app)
  const { page, faults } = await signedIn(t, browser, app)
  const finding = page.locator('.finding', { hasText: 'One address tries many accounts' })
  await finding.waitFor()
  t.match(await finding.textContent(), /203\.0\.113\.66[\s\S]*40 answers/)
  const failed = page.locator('.ranking li', { hasText: 'Wrong password' }).getByRole('link')
  t.equal(await failed.textContent(), '40')
  await failed.click()
  await page.getByRole('heading', { name: 'Events', exact: true }).waitFor()
  t.match(new URL(page.url()).hash, /^#\/events\?type=login&reason=wrong_password&from=/)
  const rows = page.locator('table.events tbody tr:not(.more)')
  t.equal(await rows.count(), 40)
  await page
    .getByRole('button', { name: /^Details of/ })
    .first()
    .click()
  await page.getByText('python-requests/2.32.3', { exact: true }).last().waitFor()
  await page.goBack()
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.locator('.legend').getByRole('link', { name: '40' }).click()
  await rows.first().waitFor()
  t.equal(await rows.count(), 40)
  t.strictSame(faults(), [])
})

t.test('every number of every view is a link to a list that is there', async (t) => {
  const app = await servedApp(t)
  await plantSpraying(app)
  const { page, faults } = await signedIn(t, browser, app)
  const hrefs = new Set<string>()
  for (const view of ['overview', 'insights']) {
    await page.goto(`${app.origin}/admin/#/${view}`)
    await page.locator('.finding').first().waitFor()
    const links = await page.evaluate(() =>
      [...document.querySelectorAll('main a')].map((link) => [link.textContent ?? '', link.getAttribute('href') ?? ''])
    )
    for (const [text = '', href = ''] of links) {
      if (/^[\d,]+(?:$|\s)|×|^\d+ answer/.test(text)) hrefs.add(href)
    }
  }
  t.ok(hrefs.size > 8)
  for (const href of hrefs) {
    await page.goto(`${app.origin}/admin/${href}`)
    await page.locator('main[aria-busy]').waitFor({ state: 'detached' })
    t.equal(await page.getByText('That did not work').count(), 0, href)
  }
  t.strictSame(faults(), [])
})

t.test(
  'filters are in the URL, so that a view can be sent; what is copied and downloaded is the same list',
  async (t) => {
    const app = await servedApp(t)
    await plantSpraying(app)
    const { page, faults } = await signedIn(t, browser, app, { hash: '#/events?type=signup' })
    t.equal(
      await page.locator('table.events tbody tr:not(.more)').count(),
      1,
      'the view that was sent, after signing in'
    )
    await page.getByLabel('Type').selectOption('login')
    await page.getByLabel('Outcome').selectOption('false')
    await page.getByLabel('Address or network').fill('203.0.113.0/24')
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.waitForURL(/#\/events\?type=login&success=false&ip=203\.0\.113\.0%2F24$/)
    await page.reload()
    await page.locator('table.events tbody tr:not(.more)').nth(39).waitFor()
    t.equal(await page.getByLabel('Address or network').inputValue(), '203.0.113.0/24')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const copied = async (name: string) => {
      await page.getByRole('button', { name }).click()
      await page
        .getByText(/^Copied/)
        .last()
        .waitFor()
      return await page.evaluate(() => navigator.clipboard.readText())
    }
    t.equal((await app.sql.unsafe(await copied('Copy as SQL'))).length, 40)
    const curl = await copied('Copy as curl')
    t.match(curl, `'${app.origin}/admin/api/events?type=login&success=false&ip=203.0.113.0%2F24'`)
    t.notMatch(curl, 'eyJ', 'no token')
    const download = async (name: string) => {
      const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
      return [file.suggestedFilename(), await readFile(await file.path(), 'utf8')] as const
    }
    const [ndjson, lines] = await download('Download NDJSON')
    t.equal(ndjson, 'events.ndjson')
    t.equal(lines.trim().split('\n').length, 40)
    const [csv, records] = await download('Download CSV')
    t.equal(csv, 'events.csv')
    t.equal(records.trim().split('\r\n').length, 41)
    t.notMatch(lines + records, 'canary', 'emails are hidden in a file, too')
    t.strictSame(faults(), [])
  }
)

t.test('emails are hidden until they are asked for, and asking is on record', async (t) => {
  const app = await servedApp(t)
  await plantSpraying(app)
  const { page, faults } = await signedIn(t, browser, app)
  await page.locator('.tail li').first().waitFor()
  const content = () => page.evaluate(() => document.documentElement.outerHTML)
  t.notMatch(await content(), 'canary')
  const asked = async () =>
    (await trail(app)).map(({ details }) => details?.emails).filter((one) => one === 'shown').length
  t.equal(await asked(), 0)
  await page.locator('.finding').getByRole('link', { name: '203.0.113.66' }).click()
  await page.locator('td.who a').first().waitFor()
  t.notMatch(await content(), 'canary')
  const hidden = page.locator('td.who a', { hasText: 'c••@example.com' }).first()
  await hidden.click()
  await page.waitForURL(/email=ref_/)
  await page.locator('main[aria-busy]').waitFor({ state: 'detached' })
  const rows = await page.locator('table.events tbody tr:not(.more)').count()
  t.ok(rows >= 3 && rows <= 4, 'a link from a hidden email finds what is behind it')
  await page.getByRole('button', { name: 'Show emails' }).click()
  await page
    .getByRole('link', { name: /^canary-\d+@example\.com$/ })
    .first()
    .waitFor()
  t.ok((await asked()) > 0)
  await page.getByRole('button', { name: 'Hide emails' }).click()
  await page.getByRole('link', { name: 'c••@example.com' }).first().waitFor()
  t.notMatch(await content(), 'canary')
  t.strictSame(faults(), [])
})

t.test('the live view shows what comes, by itself', async (t) => {
  const app = await servedApp(t)
  const { page, faults } = await signedIn(t, browser, app)
  await page.locator('.tail li').first().waitFor()
  const user = await newUser(app.http)
  const line = page.locator('.tail li', {
    hasText: `${user.email.charAt(0)}••@example.com`,
    has: page.getByText('Signup')
  })
  await line.first().waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  t.strictSame(faults(), [])
})

t.test('with no more than one admin in the database every view says that there is nothing', async (t) => {
  const app = await servedApp(t)
  const { page, faults } = await signedIn(t, browser, app)
  await page.getByText('Nothing looks suspicious.').waitFor()
  await page.getByText('None failed.').waitFor()
  await page.getByText('Nobody guesses.').waitFor()
  for (const window of ['1h', '7d', '30d', '90d']) {
    await page.goto(`${app.origin}/admin/#/overview?window=${window}`)
    await page.locator(`.choice a[aria-current][href$="${window}"]`).waitFor()
  }
  await page.goto(`${app.origin}/admin/#/users?query=nobody`)
  await page.getByText('Nobody is found.').waitFor()
  await page.goto(`${app.origin}/admin/#/events?type=key_revoked`)
  await page.getByText('No event fits.').waitFor()
  await page.goto(`${app.origin}/admin/#/insights`)
  await page.getByText('Nothing looks suspicious.').waitFor()
  t.strictSame(faults(), [])
})

t.test('the link in the log of a first start makes the first admin', async (t) => {
  const env = { NODE_ENV: 'development', BCRYPT_COST: '10', LOG_LEVEL: 'warn' }
  const running = await serving(t, { ...env, LOG_LEVEL: 'info' })
  const { link = '' } = await running.line('there is no admin yet')
  const { origin, pathname, hash } = new URL(link)
  const { page, faults } = await open(t, browser, { origin, path: pathname + hash })
  await page.getByRole('heading', { name: 'Make the first admin' }).waitFor()
  await fillIn(page, 'ada@example.com')
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  t.equal(new URL(page.url()).hash, '#/overview', 'the token is not left in the address')
  t.strictSame(faults(), [])
})
