import { h } from './dom.js'
import { ago, count, span } from './format.js'
import { link } from './router.js'

/** How loud a finding is: somebody got in, or has a copy of what lets in; somebody tries; somebody may. */
export function weight({ pattern, evidence }) {
  if (pattern === 'refresh_reuse' || evidence.logins > 0) return 'bad'
  return pattern === 'signup_burst' || pattern === 'account_failures' ? 'calm' : 'warn'
}

export const WEIGHTS = { bad: 'Somebody may be in', warn: 'Somebody tries', calm: 'Worth a look' }

/** The loudest first, each as late as the service has it. */
export function sorted(findings) {
  const order = Object.keys(WEIGHTS)
  return findings.toSorted((a, b) => order.indexOf(weight(a)) - order.indexOf(weight(b)))
}

/** What a finding is about, as a link to what there is of it. */
export function subject({ pattern, subject: text, events, evidence }) {
  const isUser = pattern === 'refresh_reuse' || pattern === 'ownership_probing'
  if (!isUser || text === 'unknown') return h('a', { href: link('events', events) }, text)
  return h('a', { href: link(`users/${text}`) }, evidence.emails?.[0] ?? text)
}

/** How much, which leads to the events that were counted, and when. */
export function extent({ since, until, answers, events }) {
  const number = `${count(answers)} ${answers === 1 ? 'answer' : 'answers'}`
  const time = h('time', { dateTime: until, title: `${span(since, until)} UTC` }, `last ${ago(until)}`)
  return h('span', { className: 'extent' }, h('a', { href: link('events', events) }, number), ', ', time)
}
