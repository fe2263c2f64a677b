import { get, send } from '../api.js'
import { h } from '../dom.js'
import { ago, dayAndClock } from '../format.js'
import { axis, scale, track } from '../timeline.js'
import { act, confirm, heading, moment, notice } from '../ui.js'

const DAY = 86_400_000
const BACK = 35 * DAY
const AHEAD = 14 * DAY
const IN_PLAY = ['next', 'current', 'previous']

const MEANINGS = {
  next: 'is published, so that whoever keeps the key set has it before it signs',
  current: 'signs every new token',
  previous: 'signs nothing more, and checks what it signed',
  retired: 'checks nothing any more',
  revoked: 'was withdrawn: nothing that it signed is good'
}

export default async function keys({ signal, refresh }) {
  const { keys: all } = await get('/keys', {}, { signal })
  const inPlay = IN_PLAY.flatMap((state) => all.filter((key) => key.state === state))
  const past = all.filter((key) => !IN_PLAY.includes(key.state)).toReversed()
  const now = Date.now()
  const time = scale(...reach(inPlay, now))
  const row = (key) => keyRow(key, { time, now, refresh })
  return h(
    'div',
    {},
    heading('Keys', rotation(all, refresh)),
    h('ol', { className: 'keys' }, h('li', { className: 'axis-row' }, axis(time, now)), ...inPlay.map(row)),
    h(
      'p',
      { className: 'soft key' },
      h('span', {}, h('i', { className: 'bar published' }), 'published'),
      h('span', {}, h('i', { className: 'bar signs' }), 'signs'),
      h('span', {}, h('i', { className: 'bar checks' }), 'checks only')
    ),
    past.length > 0 &&
      h('section', {}, h('h2', {}, 'Before'), h('ol', { className: 'keys past' }, ...past.map((key) => pastRow(key))))
  )
}

/** The weeks around now, in which something can be seen: what lies beyond goes on over the edge. */
function reach(inPlay, now) {
  const from = Math.min(now - 2 * DAY, ...inPlay.map(({ created_at: made }) => Date.parse(made)))
  const to = Math.max(now + 2 * DAY, ...inPlay.map(({ active_at: at, retires_at: end }) => Date.parse(end ?? at)))
  return [Math.max(from, now - BACK), Math.min(to, now + AHEAD)]
}

function keyRow(key, { time, now, refresh }) {
  const { kid, algorithm, state, active_at: active } = key
  return h(
    'li',
    { className: `signing ${state}` },
    h(
      'div',
      { className: 'label' },
      h('strong', {}, state),
      h('span', {}, algorithm),
      h('code', { className: 'kid', title: kid }, kid)
    ),
    track(time, { bars: bars(key, now), now }),
    h('div', { className: 'when' }, h('span', {}, `It ${MEANINGS[state]}. `), until(key, active)),
    algorithm !== 'HS256' && revocation(key, refresh)
  )
}

function bars({ state, created_at: made, active_at: active, replaced_at: replaced, retires_at: retires }, now) {
  const [from, signs] = [Date.parse(made), Date.parse(active)]
  const published = from < signs ? [{ from, to: signs, kind: 'published' }] : []
  if (state === 'next') return published
  const end = replaced === null ? now : Date.parse(replaced)
  const checks = retires === null ? [] : [{ from: end, to: Date.parse(retires), kind: 'checks' }]
  return [...published, { from: signs, to: end, kind: 'signs' }, ...checks]
}

/** The last token that each can check. */
function until({ state, ready_at: ready, retires_at: retires }, active) {
  if (state === 'next') {
    const when =
      Date.parse(ready) > Date.now()
        ? ['A rotation need not be forced from ', moment(ready), ' on.']
        : ['A rotation is possible now.']
    return h('span', {}, 'It will sign from ', moment(active), '. ', ...when)
  }
  if (state === 'previous')
    return h('span', {}, 'The last token that it can check expires ', moment(retires), `, ${ago(retires)}.`)
  return h('span', {}, 'Since ', moment(active), '. The last token that it can check is not signed yet.')
}

function pastRow({
  kid,
  algorithm,
  state,
  active_at: active,
  replaced_at: replaced,
  retires_at: retires,
  revoked_at: revoked
}) {
  const end = revoked === null ? ['; the last token expired ', moment(retires)] : ['; revoked ', moment(revoked)]
  const signed =
    replaced === null && revoked === null ? [] : ['signed from ', moment(active), ' to ', moment(replaced ?? revoked)]
  return h(
    'li',
    {},
    h('strong', {}, state),
    ` ${algorithm} `,
    h('code', { className: 'kid', title: kid }, kid),
    ' ',
    ...signed,
    ...end
  )
}

function rotation(all, refresh) {
  const next = all.find(({ state }) => state === 'next')
  if (next === undefined) return h('p', { className: 'soft' }, 'JWT_SECRET signs: there is nothing to rotate.')
  const isReady = Date.parse(next.ready_at) <= Date.now()
  const button = h('button', { type: 'button', className: 'button' }, 'Rotate now')
  button.onclick = async () => {
    const warning = isReady
      ? 'The next key has been published for long enough: nobody who keeps the key set as promised will notice.'
      : `The next key has not been published for long enough (until ${dayAndClock(next.ready_at)} UTC). Services that keep the key set will refuse new tokens until they read it again.`
    const body = h(
      'div',
      {},
      h('p', {}, 'The next key signs from now on; the current one goes on checking what it signed.'),
      h('p', {}, warning)
    )
    if (
      !(await confirm({
        title: 'Rotate the signing key?',
        action: isReady ? 'Rotate' : 'Rotate all the same',
        body,
        isBad: !isReady
      }))
    )
      return
    if (!(await act(button, () => send('POST', '/keys/rotate', { body: { force: !isReady } })))) return
    notice('The next key signs now.')
    refresh()
  }
  return button
}

function revocation({ kid, state }, refresh) {
  const button = h('button', { type: 'button', className: 'button', 'aria-label': `Revoke the ${state} key` }, 'Revoke')
  button.onclick = async () => {
    const effect =
      state === 'next'
        ? 'It has signed nothing. Another next key is made and published.'
        : 'Every token that it signed is refused by every instance within a second: everybody whom it signed in has to refresh, which applications do by themselves. Services that check tokens by themselves go on accepting them until they read the key set again.'
    const body = h(
      'div',
      {},
      h('p', {}, h('code', { className: 'kid' }, kid)),
      h('p', {}, effect),
      h('p', {}, 'This is for a key that somebody else has. It cannot be taken back.')
    )
    if (!(await confirm({ title: `Revoke the ${state} key?`, action: 'Revoke the key', body }))) return
    if (!(await act(button, () => send('POST', `/keys/${kid}/revoke`)))) return
    notice('The key is revoked.')
    refresh()
  }
  return button
}
