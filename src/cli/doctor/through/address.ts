import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../../config.js'
import { canonicalAddress } from '../../../lib/ip-address.js'
import { printable } from '../../../lib/printable.js'
import { trustedProxies } from '../../../lib/trusted-proxies.js'
import type { Progress } from '../../progress.js'
import { type Finding, fail } from '../finding.js'
import type { Account } from './account.js'
import { type Answer, type Ask, isRefusal, type Question } from './ask.js'
import { judgeAddress } from './judge-address.js'

const CHECK = 'gateway: client address'

/** RFC 5737: nobody's address. */
export const FORGED = '198.51.100.77'

/** Every header by which proxies tell each other of a client. */
const FORGED_HEADERS = {
  'x-forwarded-for': FORGED,
  'x-real-ip': FORGED,
  'x-client-ip': FORGED,
  'true-client-ip': FORGED,
  'cf-connecting-ip': FORGED,
  'x-original-forwarded-for': FORGED,
  forwarded: `for=${FORGED}`
}

/** On Linux all of 127/8 is this machine: from there a gateway on it can tell us from itself. */
const OWN_LOOPBACK = '127.77.0.1'

interface Asking {
  ask: Ask
  progress: Progress
  /** Ends the waiting, too. */
  signal: AbortSignal
}

interface Checked {
  findings: Finding[]
  /** Of the account, through the gateway; undefined when that was not possible. */
  token: string | undefined
}

/**
 * Logs in twice, once honestly and once with forged headers, and reads in the account's own history from which address each
 * came.
 */
export async function checkAddress(asking: Asking, account: Account, config: Config): Promise<Checked> {
  const { ask } = asking
  const from = await ownSource(ask)
  const login = (headers = {}) => patiently(asking, { method: 'POST', headers, from, body: credentials(account) })
  const plain = await login()
  const token = plain.json?.token
  if (plain.status !== 200 || typeof token !== 'string') return { findings: [notLoggedIn(plain)], token: undefined }
  const forged = await login(FORGED_HEADERS)
  if (forged.status !== 200) return { findings: [notLoggedIn(forged)], token }
  const [last, first] = await loginAddresses(ask, account, token)
  if (last === undefined || first === undefined) return { findings: [noHistory()], token }
  const isTrusted = trustedProxies(config.trustProxy)
  const connection = { own: canonicalAddress(plain.local ?? ''), remote: canonicalAddress(plain.remote ?? '') }
  const seen = { plain: first, forged: last }
  return { findings: [judgeAddress({ seen, ...connection, trusts: config.trustProxy.length > 0, isTrusted })], token }
}

const credentials = ({ email, password }: Account) => ({ email, password })

/** Undefined: the address that the system chooses. */
async function ownSource(ask: Ask): Promise<string | undefined> {
  const { remote } = await ask('/auth/settings')
  if (!remote?.startsWith('127.')) return undefined
  const tried = await ask('/auth/settings', { from: OWN_LOOPBACK })
  return tried.status === 0 ? undefined : OWN_LOOPBACK
}

/** Someone at this address may have used up its logins: that is waited for, once. */
async function patiently({ ask, progress, signal }: Asking, question: Question): Promise<Answer> {
  const first = await ask('/auth/login', question)
  if (!isRefusal(first, 'rate_limited')) return first
  const seconds = Math.min(120, Number(first.headers['retry-after']) || 60)
  progress.say(`this address is over its limit; waiting ${seconds} s …`)
  await sleep(seconds * 1000, undefined, { signal })
  return await ask('/auth/login', question)
}

function notLoggedIn(answer: Answer): Finding {
  if (isRefusal(answer, 'invalid_credentials')) {
    const found = 'the account that was just made in this database cannot log in through the gateway'
    return fail(CHECK, found, 'the service behind it uses another database: run this with its settings')
  }
  const found = `POST /auth/login is answered ${answer.status}: ${printable(answer.text, 100)}`
  return fail(CHECK, found, 'forward POST, with its body, under /auth/')
}

/** Newest first. */
async function loginAddresses(ask: Ask, { userId }: Account, token: string): Promise<(string | undefined)[]> {
  const { json } = await ask(`/auth/users/${userId}/events?limit=20`, { token })
  const events = Array.isArray(json?.events) ? (json.events as Record<string, unknown>[]) : []
  return events.filter((event) => event.event_type === 'login').map(({ ip_address: address }) => String(address))
}

function noHistory(): Finding {
  return fail(CHECK, 'the history of the account cannot be read', 'let the Authorization header pass to /auth/')
}
