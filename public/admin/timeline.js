import { h, place } from './dom.js'
import { clock, day } from './format.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS = [
  5 * MINUTE,
  15 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  90 * DAY,
  365 * DAY
]
const MOST_TICKS = 6

/** From the first time to the last, with marks at whole hours or days. Times are in milliseconds. */
export function scale(from, to) {
  const length = Math.max(to - from, MINUTE)
  const step = STEPS.find((size) => length / size <= MOST_TICKS) ?? STEPS.at(-1)
  const ticks = []
  for (let at = Math.ceil(from / step) * step; at < from + length; at += step) ticks.push(at)
  const at = (time) => Math.min(1, Math.max(0, (time - from) / length))
  return { at, ticks, isByDay: step >= DAY, goesOn: (time) => time > from + length }
}

/** The line that stands above rows of tracks. It says nothing that the rows do not say in words. */
export function axis({ at, ticks, isByDay }, now) {
  const labels = ticks.map((tick) => {
    const text = isByDay || tick % DAY === 0 ? day(tick) : clock(tick)
    return place(h('span', {}, text), at(tick))
  })
  const here = now === undefined ? [] : [place(h('span', { className: 'now' }, 'now'), at(now))]
  return h('div', { className: 'axis', 'aria-hidden': 'true' }, ...labels, ...here)
}

/** Bars `{from, to, kind}` and dots `{at, kind}` on one line; for the eye alone. */
export function track({ at, ticks, goesOn }, { bars, dots = [], now }) {
  const lines = ticks.map((tick) => place(h('i', { className: 'tick' }), at(tick)))
  const here = now === undefined ? [] : [place(h('i', { className: 'tick now' }), at(now))]
  return h(
    'div',
    { className: 'track', 'aria-hidden': 'true' },
    ...lines,
    ...bars.map(({ from, to, kind, title = '' }) =>
      place(h('i', { className: `bar ${kind}${goesOn(to) ? ' on' : ''}`, title }), at(from), at(to))
    ),
    ...dots.map(({ at: time, kind = '', title = '' }) => place(h('i', { className: `dot ${kind}`, title }), at(time))),
    ...here
  )
}
