import { emails, stream } from './api.js'
import { h } from './dom.js'
import { device, sentence, words } from './format.js'
import { link } from './router.js'
import { moment } from './ui.js'

const MOST_LINES = 40
const AGAIN_MS = 3000

/** The newest events as they come. It rests while nobody sees the page, and begins anew when the service ends the stream. */
export function liveTail(signal) {
  const list = h('ol', { className: 'tail' })
  const log = h('div', { role: 'log', 'aria-live': 'off', 'aria-label': 'Live events' }, list)
  const state = h('span', { className: 'soft' })
  const pause = h('button', { type: 'button', className: 'button quiet', 'aria-pressed': 'false' }, 'Pause')
  const seen = new Set()
  const more = h('button', { type: 'button', className: 'button quiet', 'aria-pressed': 'false' }, 'Admin actions')
  let isPaused = false
  let withAdmins = false
  let stopping = new AbortController()

  function show(event) {
    if (event.missed) return list.prepend(h('li', { className: 'soft' }, 'More came than can be shown.'))
    if (seen.has(event.event_id)) return
    seen.add(event.event_id)
    // Whoever looks on would see little but that somebody looks on.
    if (event.event_type === 'admin_action' && !withAdmins) return
    list.prepend(line(event))
    while (list.childElementCount > MOST_LINES) list.lastElementChild.remove()
  }

  async function follow() {
    while (!stopping.signal.aborted) {
      try {
        const answer = await stream('/events/live', {}, { signal: stopping.signal })
        state.textContent = ''
        for await (const event of lines(answer.body)) show(event)
      } catch (error) {
        if (error.name === 'AbortError' || error.status === 401 || error.status === 403) return
        state.textContent = error.message
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }

  function run() {
    stopping.abort()
    stopping = new AbortController()
    if (!isPaused && !document.hidden && !signal.aborted) void follow()
  }

  pause.onclick = () => {
    isPaused = !isPaused
    pause.setAttribute('aria-pressed', String(isPaused))
    pause.textContent = isPaused ? 'Go on' : 'Pause'
    run()
  }
  more.onclick = () => {
    withAdmins = !withAdmins
    more.setAttribute('aria-pressed', String(withAdmins))
    seen.clear()
    list.replaceChildren()
    run()
  }
  document.addEventListener('visibilitychange', run, { signal })
  signal.addEventListener('abort', run)
  run()
  return h('section', {}, h('header', { className: 'head' }, h('h2', {}, 'Live'), state, more, pause), log)
}

async function* lines(body) {
  let rest = ''
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    const parts = (rest + value).split('\n')
    rest = parts.pop()
    for (const part of parts) if (part !== '') yield JSON.parse(part)
  }
}

function line(event) {
  const { event_type: type, success, failure_reason: reason, user_id: id, email, ip_address: ip, details } = event
  const who = id ? h('a', { href: link(`users/${id}`) }, email ?? id.slice(-12)) : (email ?? '')
  const what = type === 'admin_action' ? `Admin: ${details.action ?? ''}` : sentence(type)
  const many = details.count > 1 ? ` × ${details.count}` : ''
  return h(
    'li',
    { className: success ? '' : 'refused' },
    moment(event.created_at),
    h('span', { className: 'what' }, what + many),
    h('span', { className: 'why' }, reason ? words(reason) : ''),
    h('span', { className: 'who', title: emails.shown ? '' : 'Emails are hidden' }, who),
    h('span', { className: 'where' }, ip ? h('a', { className: 'address', href: link('events', { ip }) }, ip) : ''),
    h('span', { className: 'device' }, event.user_agent ? device(event.user_agent) : '')
  )
}
