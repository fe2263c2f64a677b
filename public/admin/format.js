const NUMBER = new Intl.NumberFormat('en')
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const DAY = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' })
const DAY_OF_YEAR = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  year: 'numeric'
})
const CLOCK = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', hour: '2-digit', minute: '2-digit' })
const CLOCK_SECONDS = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit'
})

const SPANS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1]
]

export const count = (value) => NUMBER.format(value)
export const compact = (value) => (value < 100_000 ? NUMBER.format(value) : COMPACT.format(value))

/** One decimal, as long as it says something. */
export function percent(part, whole) {
  if (whole === 0) return '–'
  const share = (part / whole) * 100
  return `${share >= 99.95 || share < 0.05 ? Math.round(share) : share.toFixed(1)} %`
}

/** All times are UTC, as in the trail, in SQL and in every link. */
export const clock = (time) => CLOCK.format(new Date(time))
export const clockSeconds = (time) => CLOCK_SECONDS.format(new Date(time))

export function day(time) {
  const date = new Date(time)
  return (date.getUTCFullYear() === new Date().getUTCFullYear() ? DAY : DAY_OF_YEAR).format(date)
}

export const dayAndClock = (time) => `${day(time)}, ${clock(time)}`
export const dayAndSeconds = (time) => `${day(time)}, ${clockSeconds(time)}`

/** As the interface takes it: the same moment, without the milliseconds that say nothing. */
export const iso = (time) => new Date(time).toISOString().replace('.000Z', 'Z')

export function ago(time) {
  const seconds = (new Date(time).getTime() - Date.now()) / 1000
  if (Math.abs(seconds) < 5) return 'now'
  const [unit, size] = SPANS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
  return RELATIVE.format(Math.round(seconds / size), unit)
}

/** From one moment to another, no longer than it has to be. */
export function span(from, to) {
  if (new Date(to).getTime() - new Date(from).getTime() < 60_000) return dayAndClock(to)
  return `${dayAndClock(from)} – ${day(from) === day(to) ? clock(to) : dayAndClock(to)}`
}

export function duration(seconds) {
  const [unit, size] = SPANS.find(([, length]) => seconds >= length) ?? ['second', 1]
  const value = Math.round(seconds / size)
  return `${value} ${unit}${value === 1 ? '' : 's'}`
}

/** `wrong_password` as a person writes it. */
export const words = (name) => name.replaceAll('_', ' ')
export const sentence = (name) => words(name).replace(/^./, (letter) => letter.toUpperCase())

/** `203.0.113.7/32` is one address. */
export const address = (text) => text.replace(/\/(?:32|128)$/, '')

const BROWSERS = [
  ['Edge', /\bEdgA?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /(?:Chrome|CriOS)\//],
  ['Safari', /\bVersion\/[\d.]+.*\bSafari\//]
]
const SYSTEMS = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['Chrome OS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/]
]

/** What a user agent claims to be, in a few words. It is a claim: whoever sends it chooses it. */
export function device(agent) {
  if (!agent) return 'no user agent'
  const name = (list) => list.find(([, pattern]) => pattern.test(agent))?.[0]
  const [browser, system] = [name(BROWSERS), name(SYSTEMS)]
  if (browser && system) return `${browser} on ${system}`
  return browser ?? agent.split(/[\s(;]/)[0].slice(0, 40)
}
