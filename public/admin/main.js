import { emails } from './api.js'
import { h } from './dom.js'
import { Problem } from './problem.js'
import { parse } from './router.js'
import * as session from './session.js'
import { createShell, listenToKeys, VIEWS } from './shell.js'
import { heading } from './ui.js'
import events from './views/events.js'
import insights from './views/insights.js'
import keys from './views/keys.js'
import overview from './views/overview.js'
import settings from './views/settings.js'
import { setup, signIn } from './views/sign-in.js'
import user from './views/user.js'
import users from './views/users.js'

const views = { overview, users, events, insights, keys, settings }
const page = document.querySelector('#page')
const shell = createShell(() => void show())
let leaving = new AbortController()
let shownHash

/** Shows what the URL says. What a view has begun ends with its signal. */
async function show() {
  leaving.abort()
  leaving = new AbortController()
  const { signal } = leaving
  const token = /^#setup=([\w-]+)$/.exec(location.hash)?.[1]
  if (token !== undefined) return gate(setup({ token, done: begin }))
  if (session.current() === undefined) return gate(signIn({ reason: '', done: begin }))
  if (!shell.element.isConnected) page.replaceChildren(shell.element)
  const { view, id, params } = parse()
  const [render, name] = view === 'users' && id ? [user, 'users'] : [views[view] ?? missing, view]
  shell.mark(name)
  shell.main.setAttribute('aria-busy', 'true')
  const content = await render({ id, params, signal, refresh: () => void show() }).catch((error) => failed(error))
  if (signal.aborted || session.current() === undefined) return
  settle(content, name)
}

function settle(content, name) {
  const isNew = shownHash !== location.hash
  shownHash = location.hash
  shell.main.removeAttribute('aria-busy')
  shell.main.replaceChildren(content)
  const title = VIEWS.find((view) => view.name === name)?.title
  document.title = title === undefined ? 'Postern' : `${title} · Postern`
  // Whoever cannot see that the page has changed is told by the focus; whoever only reloads keeps the place.
  if (isNew) {
    scrollTo(0, 0)
    content.querySelector('h1')?.focus({ preventScroll: true })
  }
}

function gate(form) {
  document.title = 'Sign in · Postern'
  page.replaceChildren(form)
  form.querySelector('input')?.focus()
}

async function begin(answer) {
  await session.begin(answer)
  if (location.hash.startsWith('#setup=')) history.replaceState(null, '', '#/overview')
  await show()
}

async function missing() {
  return h('div', {}, heading('There is no such view'))
}

function failed(error) {
  if (error.name === 'AbortError') return h('div')
  const isOurs = error instanceof Problem
  if (!isOurs) console.error(error)
  const again = h('button', { type: 'button', className: 'button', onclick: () => void show() }, 'Try again')
  const id =
    isOurs && error.requestId ? h('p', { className: 'soft' }, 'Request ', h('code', {}, error.requestId)) : null
  const text = isOurs ? error.message : 'Something went wrong in this page.'
  return h(
    'div',
    { className: 'failure', role: 'alert' },
    heading('That did not work'),
    h('p', {}, text),
    id,
    h('p', {}, again)
  )
}

session.onEnd((reason) => {
  leaving.abort()
  emails.shown = false
  shownHash = undefined
  gate(signIn({ reason, done: begin }))
})
addEventListener('hashchange', () => void show())
listenToKeys({ refresh: () => void show() })
await session.restore()
if (session.current() !== undefined || document.querySelector('form') === null) await show()
