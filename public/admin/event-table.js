import { h } from './dom.js'
import { dayAndSeconds, device, sentence, words } from './format.js'
import { link } from './router.js'
import { moment } from './ui.js'

const COLUMNS = 7

/** Events as a table; each can be opened to see all of it. */
export function eventTable({ events, caption, empty, withUser = true }) {
  if (events.length === 0) return h('p', { className: 'empty' }, empty)
  const titles = ['Time', 'What', 'Outcome', ...(withUser ? ['Who'] : []), 'Address', 'Device']
  const head = titles.map((title) => h('th', { scope: 'col', className: title === 'Device' ? 'wide' : '' }, title))
  const more = h('th', { scope: 'col' }, h('span', { className: 'unseen' }, 'Details'))
  const rows = events.flatMap((event) => eventRows(event, withUser))
  return h(
    'div',
    { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': caption },
    h(
      'table',
      { className: 'events' },
      h('caption', {}, caption),
      h('thead', {}, h('tr', {}, ...head, more)),
      h('tbody', {}, ...rows)
    )
  )
}

function eventRows(event, withUser) {
  const { event_id: id, event_type: type, success, failure_reason: reason, details, ip_address: ip } = event
  const what = type === 'admin_action' && details.action ? `Admin: ${details.action}` : sentence(type)
  const many =
    details.count > 1
      ? h('span', { className: 'times', title: 'One event for so many answers' }, ` × ${details.count}`)
      : ''
  const outcome = success
    ? h('span', { className: 'soft' }, 'succeeded')
    : h('span', { className: 'reason' }, words(reason ?? 'refused'))
  const whole = h('tr', { className: 'more', id: `e-${id}`, hidden: true })
  const toggle = h(
    'button',
    {
      type: 'button',
      className: 'button quiet',
      'aria-expanded': 'false',
      'aria-controls': `e-${id}`,
      'aria-label': `Details of ${what}, ${dayAndSeconds(event.created_at)}`
    },
    '…'
  )
  toggle.onclick = () => {
    if (whole.childElementCount === 0) whole.append(h('td', { colSpan: COLUMNS }, everything(event)))
    whole.hidden = !whole.hidden
    toggle.setAttribute('aria-expanded', String(!whole.hidden))
  }
  const row = h(
    'tr',
    { className: success ? '' : 'refused' },
    h('td', { className: 'time' }, moment(event.created_at)),
    h('td', {}, what, many),
    h('td', { className: 'outcome' }, outcome),
    withUser && h('td', { className: 'who' }, who(event)),
    h('td', { className: 'where' }, ip ? h('a', { className: 'address', href: link('events', { ip }) }, ip) : ''),
    h('td', { className: 'wide', title: event.user_agent ?? '' }, event.user_agent ? device(event.user_agent) : ''),
    h('td', { className: 'toggle' }, toggle)
  )
  return [row, whole]
}

/** The user where there is one; else what was typed, with all that was tried with it. */
function who({ user_id: id, email, email_ref: ref }) {
  if (id) return h('a', { href: link(`users/${id}`) }, email ?? `…${id.slice(-12)}`)
  return email ? h('a', { className: 'unknown', href: link('events', { email: ref ?? email }) }, email) : ''
}

function everything(event) {
  const {
    event_id: id,
    user_id: userId,
    session_id: sessionId,
    request_id: requestId,
    user_agent: agent,
    details
  } = event
  const fact = (name, value) => (value ? [h('dt', {}, name), h('dd', {}, value)] : [])
  const code = (text) => text && h('code', {}, text)
  const rest = Object.keys(details).length > 0 && h('pre', {}, JSON.stringify(details, null, 2))
  return h(
    'dl',
    { className: 'facts' },
    ...fact('Event', code(id)),
    ...fact('Request', code(requestId)),
    ...fact('User', userId && h('a', { href: link('events', { user_id: userId }) }, code(userId))),
    ...fact('Session', code(sessionId)),
    ...fact('User agent', agent),
    ...fact('Details', rest)
  )
}
