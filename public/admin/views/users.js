import { get } from '../api.js'
import { h } from '../dom.js'
import { go, link } from '../router.js'
import { field, heading, moment, table } from '../ui.js'

const PAGE = 50

export default async function users({ params, signal }) {
  const { query, cursor } = params
  const { users: rows, next_cursor: next } = await get('/users', { query, cursor, limit: PAGE }, { signal })
  const caption = query ? 'Users whose email begins so, or who have this id' : 'Users, the newest first'
  const columns = [
    { title: 'Email', isHead: true, cell: ({ user_id: id, email }) => h('a', { href: link(`users/${id}`) }, email) },
    { title: 'State', cell: state },
    { title: 'Signed up', kind: 'wide', cell: ({ created_at: at }) => moment(at) },
    { title: 'Last login', cell: ({ last_login: at }) => moment(at, { relative: true }) },
    { title: 'Id', kind: 'wide', cell: ({ user_id: id }) => h('code', { className: 'id' }, id) }
  ]
  return h(
    'div',
    {},
    heading('Users'),
    search(query),
    table({ caption, columns, rows, empty: query ? 'Nobody is found.' : 'There are no users yet.' }),
    pages({ query, cursor, next })
  )
}

/** In words, and only what is not the rule. */
export function state({ role, is_active: isActive }) {
  if (!isActive) return h('span', { className: 'flag bad' }, 'inactive')
  return role === 'admin' ? h('span', { className: 'flag' }, 'admin') : h('span', { className: 'soft' }, 'active')
}

function search(query) {
  const input = h('input', {
    type: 'search',
    name: 'query',
    value: query ?? '',
    maxLength: 254,
    placeholder: 'ada@ or an id',
    attrs: { 'data-search': true, spellcheck: 'false', autocapitalize: 'none' }
  })
  const form = h(
    'form',
    { className: 'filters', role: 'search' },
    field('Beginning of an email, or a whole id', input),
    h('button', { type: 'submit', className: 'button' }, 'Search')
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    go('users', { query: input.value.trim() })
  })
  return form
}

function pages({ query, cursor, next }) {
  const first = cursor && h('a', { href: link('users', { query }) }, 'First page')
  const more = next && h('a', { href: link('users', { query, cursor: next }), rel: 'next' }, 'Next page')
  return first || more ? h('nav', { className: 'pages', 'aria-label': 'Pages' }, first, more) : undefined
}
