import { get, stream } from '../api.js'
import { h } from '../dom.js'
import { asCurl, asSql } from '../event-query.js'
import { eventTable } from '../event-table.js'
import { sentence } from '../format.js'
import { EVENT_TYPES, FAILURE_REASONS } from '../lists.js'
import { go, link } from '../router.js'
import { act, copy, field, heading, notice } from '../ui.js'

const PAGE = 50
const FIELDS = ['type', 'success', 'reason', 'ip', 'email', 'user_id', 'from', 'to']

export default async function events({ params, signal }) {
  const filter = Object.fromEntries(FIELDS.map((name) => [name, params[name]]).filter(([, value]) => value))
  const { events: rows, next_cursor: next } = await get(
    '/events',
    { ...filter, cursor: params.cursor, limit: PAGE },
    { signal }
  )
  const isFiltered = Object.keys(filter).length > 0
  return h(
    'div',
    {},
    heading('Events'),
    filters(filter),
    takeAlong(filter),
    eventTable({
      events: rows,
      caption: isFiltered ? 'Events that fit, the newest first' : 'Events, the newest first',
      empty: isFiltered ? 'No event fits.' : 'Nothing has happened yet.'
    }),
    pages(filter, params.cursor, next)
  )
}

function filters(filter) {
  const any = { text: 'any', value: '' }
  const list = (names) => [any, ...names.map((name) => ({ text: sentence(name), value: name }))]
  const outcomes = [any, { text: 'Succeeded', value: 'true' }, { text: 'Refused', value: 'false' }]
  const form = h(
    'form',
    { className: 'filters', role: 'search', 'aria-label': 'Filters' },
    select('Type', 'type', list(EVENT_TYPES), filter.type, { 'data-search': true }),
    select('Outcome', 'success', outcomes, filter.success),
    select('Reason', 'reason', list(FAILURE_REASONS), filter.reason),
    input('Address or network', 'ip', filter.ip, '203.0.113.0/24'),
    input('Email', 'email', filter.email, 'whole', { title: 'In a link from a hidden email this stands for it' }),
    input('User', 'user_id', filter.user_id, 'whole id'),
    input('From', 'from', filter.from, '2026-01-14T09:30:00Z'),
    input('To, not included', 'to', filter.to, '2026-01-14T10:30:00Z'),
    h(
      'p',
      { className: 'buttons' },
      h('button', { type: 'submit', className: 'button strong' }, 'Show'),
      Object.keys(filter).length > 0 && h('a', { href: link('events') }, 'Clear')
    )
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const given = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]))
    go('events', given)
  })
  return form
}

function select(label, name, options, value = '', attrs = {}) {
  const items = options.map((one) => h('option', { value: one.value, selected: one.value === value }, one.text))
  return field(label, h('select', { name, attrs }, ...items))
}

function input(label, name, value = '', placeholder = '', props = {}) {
  const attrs = { spellcheck: 'false', autocapitalize: 'none', autocomplete: 'off' }
  return field(label, h('input', { name, value, placeholder, attrs, ...props }))
}

/** The same question for a terminal, and all of its answer as a file. */
function takeAlong(filter) {
  const button = (text, work) => {
    const element = h('button', { type: 'button', className: 'button quiet' }, text)
    element.onclick = () => void work(element)
    return element
  }
  return h(
    'p',
    { className: 'buttons along' },
    button('Copy as SQL', () => copy(asSql(filter), 'SQL')),
    button('Copy as curl', () => copy(asCurl(filter, location.origin), 'curl command')),
    button('Download NDJSON', (element) =>
      download(element, filter, { accept: 'application/x-ndjson', suffix: 'ndjson' })
    ),
    button('Download CSV', (element) => download(element, filter, { accept: 'text/csv', suffix: 'csv' }))
  )
}

/** A link cannot send a token: so the page takes the stream itself, and says how far it is. */
async function download(button, filter, { accept, suffix }) {
  const name = button.textContent
  await act(button, async () => {
    const answer = await stream('/events', filter, { accept })
    const parts = []
    let bytes = 0
    const reader = answer.body.getReader()
    for (;;) {
      const { value, done } = await reader.read()
      if (done) break
      parts.push(value)
      bytes += value.length
      button.textContent = `${(bytes / 1_048_576).toFixed(1)} MB`
    }
    const url = URL.createObjectURL(new Blob(parts, { type: accept }))
    h('a', { href: url, download: `events.${suffix}` }).click()
    setTimeout(() => URL.revokeObjectURL(url), 60_000)
    notice('Downloaded. The trail notes it.')
  })
  button.textContent = name
}

function pages(filter, cursor, next) {
  const first = cursor && h('a', { href: link('events', filter) }, 'Newest')
  const more = next && h('a', { href: link('events', { ...filter, cursor: next }), rel: 'next' }, 'Older')
  return first || more ? h('nav', { className: 'pages', 'aria-label': 'Pages' }, first, more) : undefined
}
