import { get } from '../api.js'
import { stackedChart } from '../chart.js'
import { h } from '../dom.js'
import { extent, sorted, subject, WEIGHTS, weight } from '../finding.js'
import { clock, count, day, percent, sentence } from '../format.js'
import { liveTail } from '../live.js'
import { go, link } from '../router.js'
import { bucketsOf, LIMITS, LOGINS, OUTCOMES, sum } from '../sums.js'
import { choice, heading, table } from '../ui.js'
import { WINDOWS, windowOf } from '../windows.js'

const RECENT = '24h'

export default async function overview({ params, signal }) {
  const { name, bucket, text } = windowOf(params.window)
  const [stats, found] = await Promise.all([
    get('/stats', { window: name, bucket }, { signal }),
    // What is open is what happened lately, whatever span the numbers are of; and they are shown without it, too.
    get('/insights', { window: RECENT }, { signal }).catch((error) => error)
  ])
  const windows = WINDOWS.map((one) => ({
    text: one.text,
    href: link('overview', { window: one.name }),
    isCurrent: one.name === name
  }))
  return h(
    'div',
    { className: 'overview' },
    heading('Overview', choice('Time', windows)),
    findings(found),
    figures(stats, text),
    logins(stats, signal),
    h('div', { className: 'pair' }, failures(stats), sources(stats)),
    liveTail(signal)
  )
}

/** At most five: what lies behind is one step away. */
function findings({ insights, total, message }) {
  const head = h('h2', {}, 'Open insights ', h('small', {}, 'of the last 24 hours'))
  const all = link('insights', { window: RECENT })
  if (insights === undefined) return h('section', {}, head, h('p', { className: 'empty' }, message))
  if (total === 0) return h('section', {}, head, h('p', { className: 'empty' }, 'Nothing looks suspicious.'))
  const items = sorted(insights)
    .slice(0, 5)
    .map((one) =>
      h(
        'li',
        { className: `finding ${weight(one)}` },
        h('span', { className: 'weight' }, WEIGHTS[weight(one)]),
        h('strong', {}, one.title),
        h('span', { className: 'about' }, subject(one)),
        extent(one)
      )
    )
  const more = h(
    'p',
    {},
    h('a', { href: all }, total > 5 ? `All ${count(total)}, and what to do` : 'What to do about it')
  )
  return h('section', {}, head, h('ul', { className: 'findings' }, ...items), more)
}

function figures({ totals, previous, users, from, to }, span) {
  const both = (filter, wanted) => ({
    now: sum(totals, wanted),
    before: sum(previous.totals, wanted),
    href: link('events', { ...filter, from, to }),
    hrefBefore: link('events', { ...filter, from: previous.from, to: previous.to })
  })
  const signups = both({ type: 'signup', success: 'true' }, { event_type: 'signup', success: true })
  const good = both({ type: 'login', success: 'true' }, { event_type: 'login', success: true })
  const tried = both({ type: 'login' }, { event_type: 'login' })
  const more = signups.now === 0 ? ['as before'] : [h('a', { href: signups.href }, `+${count(signups.now)}`)]
  return h(
    'section',
    { className: 'figures', 'aria-label': `The last ${span}, against the ${span} before` },
    figure('Users', count(users), link('users'), more),
    figure('Signups', count(signups.now), signups.href, change(signups)),
    figure('Logins', count(good.now), good.href, change(good)),
    figure('Succeeded', percent(good.now, tried.now), tried.href, points(good, tried)),
    h('p', { className: 'against soft' }, `against the ${span} before`)
  )
}

function figure(name, value, href, beside) {
  return h('div', { className: 'figure' }, h('span', {}, name), h('a', { href }, value), h('small', {}, ...beside))
}

const signed = (number, text) => `${number > 0 ? '+' : '−'}${text}`

function change({ now, before, hrefBefore }) {
  if (before === 0) return [now === 0 ? 'as before' : 'none before']
  const share = Math.round(((now - before) / before) * 100)
  const was = h('a', { href: hrefBefore }, count(before))
  return share === 0 ? ['as before, ', was] : [signed(share, `${count(Math.abs(share))} %, was `), was]
}

function points(good, tried) {
  if (tried.now === 0 || tried.before === 0) return ['nothing to compare']
  const was = h('a', { href: tried.hrefBefore }, percent(good.before, tried.before))
  const difference = (good.now / tried.now - good.before / tried.before) * 100
  if (Math.abs(difference) < 0.05) return ['as before, ', was]
  return [signed(difference, `${Math.abs(difference).toFixed(1)} points, was `), was]
}

function logins(stats, signal) {
  const buckets = bucketsOf(stats)
  const list = ({ from, to }, filter) =>
    link('events', { ...filter, from: new Date(from).toISOString(), to: new Date(to).toISOString() })
  const total = (name) => buckets.reduce((all, { counts }) => all + counts[name], 0)
  // What hardly ever happens is named only where it does.
  const kinds = OUTCOMES.filter(({ name }, index) => index < 3 || total(name) > 0)
  const legend = kinds.map(({ name, title, filter }) => {
    const whole = { from: Date.parse(stats.from), to: Date.parse(stats.to) }
    const number = h('a', { href: list(whole, filter) }, count(total(name)))
    return h('li', {}, h('i', { className: `swatch ${name}` }), number, ` ${title}`)
  })
  const chart = stackedChart({
    label: 'Logins over time by outcome',
    kinds,
    buckets,
    open: ({ from, to }) =>
      go('events', { type: 'login', from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
    signal
  })
  const marks = h(
    'li',
    { className: 'soft' },
    h('i', { className: 'swatch rotation' }),
    'key rotated ',
    h('i', { className: 'swatch restart' }),
    'service started'
  )
  return h(
    'section',
    {},
    h('h2', {}, 'Logins'),
    chart,
    h('ul', { className: 'legend' }, ...legend, marks),
    asTable(kinds, buckets, list)
  )
}

function asTable(kinds, buckets, list) {
  const columns = [
    { title: 'From', isHead: true, cell: ({ from }) => `${day(from)}, ${clock(from)}` },
    ...kinds.map(({ name, title, filter }) => ({
      title: sentence(title),
      kind: 'number',
      cell: (bucket) =>
        bucket.counts[name] === 0 ? '0' : h('a', { href: list(bucket, filter) }, count(bucket.counts[name]))
    })),
    {
      title: 'Notes',
      cell: ({ marks }) => marks.map(({ text, filter }, index) => [index > 0 && ', ', h('a', { href: filter }, text)])
    }
  ]
  const some = buckets.filter(({ counts, marks }) => marks.length > 0 || Object.values(counts).some((n) => n > 0))
  const details = h('details', {}, h('summary', {}, 'The same as a table'))
  details.addEventListener(
    'toggle',
    () => details.append(table({ caption: 'Logins over time', columns, rows: some.toReversed(), empty: 'No logins.' })),
    { once: true }
  )
  return details
}

/** Numbers as bars of one length each, the longest first. */
function ranking({ title, rows, empty, note }) {
  const most = Math.max(...rows.map(({ number }) => number))
  const items = rows.map(({ label, number, href, beside }) => {
    const bar = h('i', { className: 'share' })
    bar.style.inlineSize = `${(number / most) * 100}%`
    return h('li', {}, h('span', {}, label), h('a', { href }, count(number)), bar, beside && h('small', {}, beside))
  })
  const body =
    items.length === 0
      ? h('p', { className: 'empty' }, empty)
      : h('ol', { className: rows.some(({ beside }) => beside) ? 'ranking three' : 'ranking' }, ...items)
  return h('section', {}, h('h2', {}, title), body, note && items.length > 0 && h('p', { className: 'soft' }, note))
}

function failures({ totals, from, to }) {
  const refused = totals.filter(({ event_type: type, success }) => !success && [...LOGINS, ...LIMITS].includes(type))
  const rows = refused.map(({ event_type: type, failure_reason: reason, answers }) => ({
    label: sentence(reason),
    number: answers,
    href: link('events', { type, reason, from, to })
  }))
  rows.sort((a, b) => b.number - a.number)
  return ranking({
    title: 'Why logins fail',
    rows,
    empty: 'None failed.',
    note: 'Rate limited counts every limit, that of signups too.'
  })
}

function sources({ top_addresses: addresses, from, to }) {
  const rows = addresses.map(({ ip_address: ip, answers, accounts }) => ({
    label: h('a', { className: 'address', href: link('events', { ip, from, to }) }, ip),
    number: answers,
    href: link('events', { ip, success: 'false', from, to }),
    beside: h(
      'a',
      { href: link('events', { ip, success: 'false', from, to }) },
      `${count(accounts)} ${accounts === 1 ? 'account' : 'accounts'}`
    )
  }))
  return ranking({
    title: 'Busiest sources',
    rows,
    empty: 'Nobody guesses.',
    note: 'By refused answers that look like guessing.'
  })
}
