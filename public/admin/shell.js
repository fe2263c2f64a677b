import { emails } from './api.js'
import { h, isTyping } from './dom.js'
import { go, link } from './router.js'
import * as session from './session.js'
import { notice, shown } from './ui.js'

export const VIEWS = [
  { name: 'overview', title: 'Overview', key: 'o' },
  { name: 'users', title: 'Users', key: 'u' },
  { name: 'events', title: 'Events', key: 'e' },
  { name: 'insights', title: 'Insights', key: 'i' },
  { name: 'keys', title: 'Keys', key: 'k' },
  { name: 'settings', title: 'Settings', key: 's' }
]

/** What stands around every view. `refresh` shows the present one anew. */
export function createShell(refresh) {
  const links = new Map(VIEWS.map(({ name, title }) => [name, h('a', { href: link(name) }, title)]))
  const reveal = h('button', { type: 'button', className: 'button quiet' })
  const out = h('button', { type: 'button', className: 'button quiet' }, 'Sign out')
  const keys = h('button', { type: 'button', className: 'button quiet keys', 'aria-label': 'Keyboard shortcuts' }, '?')
  const main = h('main', { id: 'main' })
  const skip = h('button', { type: 'button', className: 'skip' }, 'Skip to the content')
  const bar = h(
    'header',
    { className: 'bar' },
    h('a', { className: 'name', href: link('overview') }, 'Postern'),
    h('nav', { className: 'views', 'aria-label': 'Views' }, ...links.values()),
    h(
      'div',
      { className: 'tools' },
      h('span', { className: 'soft zone', title: 'All times on this page are UTC' }, 'UTC'),
      reveal,
      keys,
      out
    )
  )

  function showEmails() {
    reveal.textContent = emails.shown ? 'Hide emails' : 'Show emails'
    reveal.setAttribute('aria-pressed', String(emails.shown))
    reveal.title = emails.shown ? '' : 'The trail notes that you looked'
  }

  reveal.onclick = () => {
    emails.shown = !emails.shown
    showEmails()
    notice(emails.shown ? 'Emails are shown. The trail notes each view that has them.' : 'Emails are hidden.')
    refresh()
  }
  out.onclick = () => session.signOut()
  keys.onclick = () => void showKeys()
  skip.onclick = () => main.querySelector('h1')?.focus()
  showEmails()

  return {
    element: h('div', { className: 'frame' }, skip, bar, main),
    main,
    /** Says in the bar which view this is. */
    mark(name) {
      for (const [view, element] of links) {
        if (view === name) element.setAttribute('aria-current', 'page')
        else element.removeAttribute('aria-current')
      }
    }
  }
}

async function showKeys() {
  const rows = [
    ['/', 'search, or the first filter'],
    ...VIEWS.map(({ title, key }) => [`g ${key}`, title]),
    ['m', 'show or hide emails'],
    ['r', 'load again'],
    ['?', 'this list']
  ]
  const list = h(
    'dl',
    { className: 'shortcuts' },
    ...rows.flatMap(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)])
  )
  const close = h('button', { type: 'button', className: 'button' }, 'Close')
  const dialog = h(
    'dialog',
    { className: 'dialog', 'aria-labelledby': 'keys-title' },
    h('h2', { id: 'keys-title' }, 'Keyboard'),
    list,
    h('p', { className: 'buttons' }, close)
  )
  close.onclick = () => dialog.close()
  await shown(dialog)
}

/** One letter, or `g` and a letter; never while somebody types, and never with a modifier, which is the browser's. */
export function listenToKeys({ refresh }) {
  let leader = 0
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    if (document.querySelector('dialog[open]') !== null || session.current() === undefined) return
    const isSecond = event.timeStamp - leader < 1500
    leader = event.key === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY
    const view = isSecond ? VIEWS.find(({ key }) => key === event.key) : undefined
    if (view !== undefined) return go(view.name)
    const single = {
      '/': () => document.querySelector('[data-search]')?.focus(),
      '?': () => void showKeys(),
      m: () => document.querySelector('[aria-pressed]')?.click(),
      r: refresh
    }[event.key]
    if (single === undefined) return
    event.preventDefault()
    single()
  })
}
