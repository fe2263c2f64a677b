import { get, send } from '../api.js'
import { h } from '../dom.js'
import { eventTable } from '../event-table.js'
import { count, dayAndClock, device } from '../format.js'
import { link } from '../router.js'
import * as session from '../session.js'
import { axis, scale, track } from '../timeline.js'
import { act, confirm, heading, moment, notice } from '../ui.js'
import { state } from './users.js'

const MOST_REFRESHES = 100

export default async function user({ id, signal, refresh }) {
  const { user: row, sessions, events } = await get(`/users/${encodeURIComponent(id)}`, {}, { signal })
  const refreshes = sessions.length === 0 ? [] : await refreshesOf(id, sessions, signal)
  return h(
    'div',
    {},
    heading(row.email, state(row)),
    facts(row),
    actions(row, sessions, refresh),
    sessionList(row, sessions, refreshes, refresh),
    h(
      'section',
      {},
      h('h2', {}, 'Events'),
      eventTable({
        events,
        caption: 'The newest events of this user',
        empty: 'Nothing has happened.',
        withUser: false
      }),
      h('p', {}, h('a', { href: link('events', { user_id: id }) }, 'All events of this user'))
    )
  )
}

async function refreshesOf(id, sessions, signal) {
  const from = sessions.map(({ created_at: at }) => at).sort()[0]
  const filter = { user_id: id, type: 'refresh', success: 'true', from, limit: MOST_REFRESHES }
  return (await get('/events', filter, { signal })).events
}

function facts({ user_id: id, created_at: since, last_login: login }) {
  const fact = (name, value) => [h('dt', {}, name), h('dd', {}, value)]
  return h(
    'dl',
    { className: 'facts' },
    ...fact('Id', h('code', { className: 'id' }, id)),
    ...fact('Signed up', moment(since)),
    ...fact('Last login', moment(login))
  )
}

function actions(row, sessions, refresh) {
  const { user_id: id, email, role, is_active: isActive } = row
  const change = (text, body, question, done) => {
    const button = h('button', { type: 'button', className: question.isBad ? 'button bad' : 'button' }, text)
    button.onclick = async () => {
      if (!(await confirm({ ...question, action: text, body: paragraphs(question.body) }))) return
      const path = `/users/${id}`
      if (!(await act(button, () => send('PATCH', path, { body })))) return
      notice(done)
      refresh()
    }
    return button
  }
  const buttons = [
    isActive
      ? change('Deactivate', { is_active: false }, deactivation(email, sessions), `${email} is inactive.`)
      : undefined,
    isActive ? undefined : change('Activate', { is_active: true }, activation(email), `${email} is active.`),
    role === 'admin'
      ? change('Take the admin role', { role: 'user' }, demotion(email), `${email} is no admin any more.`)
      : change('Make an admin', { role: 'admin' }, promotion(email), `${email} is an admin.`)
  ]
  return h('p', { className: 'buttons' }, ...buttons, sessions.length > 1 && endAll(row, sessions, refresh))
}

const paragraphs = (texts) => h('div', {}, ...texts.map((text) => h('p', {}, text)))

const sessionsOf = (number) => (number === 1 ? 'The one session' : `All ${count(number)} sessions`)

const deactivation = (email, sessions) => ({
  title: `Deactivate ${email}?`,
  isBad: true,
  body: [
    sessions.length === 0
      ? 'There is no session to end.'
      : `${sessionsOf(sessions.length)} will end at once, on every instance: tokens and refresh tokens are refused from the next request on.`,
    'Signing in will be refused, with the same answer as a wrong password. Nothing is deleted, and you can activate the account again; its sessions stay ended.',
    'The trail will say that it was you.'
  ]
})

const activation = (email) => ({
  title: `Activate ${email}?`,
  isBad: false,
  body: [
    'Signing in with the old password will be possible again. Sessions that have ended stay ended.',
    'The trail will say that it was you.'
  ]
})

const promotion = (email) => ({
  title: `Make ${email} an admin?`,
  isBad: false,
  body: [
    'An admin sees every user and the whole trail, ends sessions, changes keys, and makes other admins, you included, users again.',
    'The trail will say that it was you.'
  ]
})

const demotion = (email) => ({
  title: `Take the admin role from ${email}?`,
  isBad: true,
  body: [
    'The next call to the admin interface will be refused. The sessions go on. The last active admin cannot lose the role.',
    'The trail will say that it was you.'
  ]
})

function endAll({ user_id: id, email }, sessions, refresh) {
  const button = h('button', { type: 'button', className: 'button' }, 'End all sessions')
  button.onclick = async () => {
    const body = paragraphs([
      `${sessionsOf(sessions.length)} of ${email} will end at once, on every instance. Signing in again is possible.`
    ])
    if (!(await confirm({ title: 'End all sessions?', action: 'End all sessions', body }))) return
    if (!(await act(button, () => send('DELETE', `/users/${id}/sessions`)))) return
    notice('All sessions are ended.')
    refresh()
  }
  return button
}

function sessionList(row, sessions, refreshes, refresh) {
  const head = h('h2', {}, 'Sessions')
  if (sessions.length === 0) return h('section', {}, head, h('p', { className: 'empty' }, 'None lives.'))
  const now = Date.now()
  const times = sessions.map(({ created_at: at }) => Date.parse(at))
  const time = scale(Math.min(...times), now)
  const items = sessions.map((one) => sessionRow(row, one, { time, refreshes, now, refresh }))
  const key = h(
    'p',
    { className: 'soft key' },
    h('span', {}, h('i', { className: 'bar seen' }), 'in use'),
    h('span', {}, h('i', { className: 'bar idle' }), 'not seen since'),
    h('span', {}, h('i', { className: 'dot' }), 'refreshed')
  )
  return h(
    'section',
    {},
    head,
    h('ol', { className: 'sessions' }, h('li', { className: 'axis-row' }, axis(time, now)), ...items),
    key
  )
}

function sessionRow(row, one, { time, refreshes, now, refresh }) {
  const {
    session_id: id,
    created_at: created,
    last_seen_at: seen,
    expires_at: expires,
    ip_address: ip,
    user_agent: agent
  } = one
  const [from, last] = [Date.parse(created), Date.parse(seen)]
  const mine = refreshes.filter((event) => event.session_id === id)
  const bars = [
    { from, to: last, kind: 'seen', title: `in use since ${dayAndClock(from)}` },
    { from: last, to: now, kind: 'idle', title: `not seen since ${dayAndClock(last)}` }
  ]
  const dots = mine.map(({ created_at: at }) => ({ at: Date.parse(at), title: `refreshed ${dayAndClock(at)}` }))
  const isOwn = session.current()?.sessionId === id
  return h(
    'li',
    { className: 'session' },
    h(
      'div',
      { className: 'label' },
      h('strong', { title: agent ?? '' }, device(agent), isOwn && ' (this one)'),
      ip ? h('a', { className: 'address', href: link('events', { ip }) }, ip) : h('span', {}, 'no address')
    ),
    track(time, { bars, dots }),
    h(
      'div',
      { className: 'when' },
      h('span', {}, 'Since ', moment(created, { relative: true })),
      h('span', {}, 'seen ', moment(seen, { relative: true })),
      h(
        'a',
        { href: link('events', { user_id: row.user_id, type: 'refresh', success: 'true', from: created }) },
        refreshed(mine.length)
      ),
      h('span', {}, 'ends ', moment(expires, { relative: true }))
    ),
    endOne(row, one, isOwn, refresh)
  )
}

function refreshed(number) {
  if (number === 0) return 'not refreshed'
  return `refreshed ${number === 1 ? 'once' : `${count(number)}${number >= MOST_REFRESHES ? '+' : ''} times`}`
}

function endOne({ user_id: userId, email }, { session_id: id, user_agent: agent, ip_address: ip }, isOwn, refresh) {
  const what = `${device(agent)}, ${ip ?? 'no address'}`
  const button = h('button', { type: 'button', className: 'button', 'aria-label': `End the session of ${what}` }, 'End')
  button.onclick = async () => {
    const body = paragraphs([
      isOwn
        ? 'This is the session that you use here: you will be signed out.'
        : `The session of ${email} (${what}) will end at once, on every instance.`,
      'Other sessions go on, and signing in again is possible.'
    ])
    if (!(await confirm({ title: 'End this session?', action: 'End the session', body }))) return
    if (!(await act(button, () => send('DELETE', `/users/${userId}/sessions/${id}`)))) return
    notice('The session is ended.')
    refresh()
  }
  return button
}
