import { get } from '../api.js'
import { h } from '../dom.js'
import { extent, sorted, subject, WEIGHTS, weight } from '../finding.js'
import { address, count, iso, span, words } from '../format.js'
import { link } from '../router.js'
import { choice, heading, markdown } from '../ui.js'
import { WINDOWS, windowOf } from '../windows.js'

const LONGEST = '30d'

export default async function insights({ params, signal }) {
  const { name, seconds } = windowOf(params.window)
  const from = iso(Date.now() - seconds * 1000)
  const { insights: found, total } = await get('/insights', { window: name === '90d' ? LONGEST : name }, { signal })
  const windows = WINDOWS.filter((one) => one.name !== '90d').map((one) => ({
    text: one.text,
    href: link('insights', { window: one.name }),
    isCurrent: one.name === name
  }))
  return h(
    'div',
    {},
    heading('Insights', choice('Time', windows)),
    total === 0 && h('p', { className: 'empty' }, 'Nothing looks suspicious.'),
    total > found.length && h('p', { className: 'soft' }, `The latest ${count(found.length)} of ${count(total)}.`),
    ...sorted(found).map((finding) => card(finding, from))
  )
}

function card(finding, from) {
  const { title, advice, since, until } = finding
  return h(
    'article',
    { className: `finding ${weight(finding)}` },
    h('p', { className: 'weight' }, WEIGHTS[weight(finding)]),
    h('h2', {}, title),
    h('p', { className: 'about' }, subject(finding), ' ', extent(finding)),
    h('p', { className: 'advice' }, markdown(advice)),
    h('dl', { className: 'facts' }, ...facts(finding, { when: `${span(since, until)} UTC`, from }))
  )
}

/** The evidence in words, each number with the list that it comes from. */
function facts({ events, evidence }, { when, from }) {
  const list = (more, ...text) => h('a', { href: link('events', { ...events, ...more }) }, ...text)
  const number = (value, more = {}) => (value === undefined ? undefined : list(more, count(value)))
  // The busiest are named; the others are as many as there are.
  const more = (total, top = []) =>
    total > top.length ? h('li', {}, list({}, `and ${count(total - top.length)} more`)) : undefined
  const rows = {
    When: when,
    'Logins that worked': number(evidence.logins, { type: 'login', success: 'true', from, to: undefined }),
    'Refused as': items(
      Object.entries(evidence.reasons ?? {}).sort(([, one], [, other]) => other - one),
      ([reason, answers]) => list({ reason }, `${count(answers)} ${words(reason)}`)
    ),
    Addresses:
      items(
        evidence.top_addresses ?? [],
        ({ ip_address: ip, answers }) => list({ ip }, `${address(ip)} × ${count(answers)}`),
        more(evidence.addresses, evidence.top_addresses)
      ) ?? number(evidence.addresses),
    Accounts: items(
      evidence.top_accounts ?? [],
      ({ email, email_ref: ref, answers }) => list({ email: ref ?? email }, `${email} × ${count(answers)}`),
      more(evidence.accounts, evidence.top_accounts)
    ),
    Of: evidence.emails?.join(', '),
    Sessions: number(evidence.sessions),
    'Users asked for': number(evidence.requested_users),
    'Most in an hour': number(evidence.most_in_an_hour),
    'Usual in an hour': evidence.usual_in_an_hour?.toString()
  }
  return Object.entries(rows).flatMap(([name, value]) => (value ? [h('dt', {}, name), h('dd', {}, value)] : []))
}

function items(rows, show, last) {
  if (rows.length === 0) return undefined
  return h('ul', { className: 'several' }, ...rows.map((row) => h('li', {}, show(row))), last)
}
