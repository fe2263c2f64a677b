import t from 'tap'
import { ERRORS } from '../../src/errors.js'
import routes from '../../src/features/errors/routes.js'
import { createShell } from '../fixtures/shell.js'

const create = (t: Parameters<typeof createShell>[0]) =>
  createShell(t, async (scope) => {
    await scope.register(routes, { prefix: '/auth' })
  })

t.test('the type of every error opens a page with its cause and its remedy', async (t) => {
  const app = await create(t)
  for (const [code, { status, title }] of Object.entries(ERRORS)) {
    const answer = await app.inject(`/auth/errors/${code}`)
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
    t.match(answer.body, `<h1>${title}</h1>`)
    t.match(answer.body, `<code>${code}</code>, status ${status}`)
    t.match(answer.body, '<h2>What to do</h2>')
  }
})

t.test('what is markup in a text is escaped', async (t) => {
  const app = await create(t)
  t.match((await app.inject('/auth/errors/missing_token')).body, '<code>Authorization: Bearer &lt;token&gt;</code>')
})

t.test('an unknown code is not_found, and a page has no query', async (t) => {
  const app = await create(t)
  for (const code of [
    'nothing',
    '__proto__',
    'constructor',
    'toString',
    '%3Cscript%3E',
    'INVALID_REQUEST',
    'x'.repeat(9000)
  ]) {
    const answer = await app.inject(`/auth/errors/${code}`)
    t.strictSame([answer.statusCode, answer.json().code], [404, 'not_found'], code.slice(0, 40))
  }
  t.equal((await app.inject('/auth/errors/not_found?lang=de')).statusCode, 400)
})
