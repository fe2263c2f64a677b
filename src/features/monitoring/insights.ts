import type { Db } from '../../plugins/database/index.js'
import { type InsightRow, listInsights } from './store.js'
import { readInsightWindow } from './window.js'

interface Pattern {
  title: string
  /** What to do about it. */
  advice: string
}

/** Every pattern that `postern.insights` knows. docs/monitoring.md is compared with it by a test. */
export const PATTERNS = {
  address_failures: {
    title: 'Many refused attempts from one address',
    advice:
      'Somebody guesses or forges from there. If `logins` is not 0, look at those accounts first and end their sessions. Block the address at the gateway. If it is your gateway, set TRUST_PROXY.'
  },
  spraying: {
    title: 'One address tries many accounts',
    advice:
      'A list of stolen or common passwords is being tried. If `logins` is not 0, some worked: end the sessions of those accounts and have their passwords changed. Block the address at the gateway.'
  },
  account_failures: {
    title: 'Many refused attempts for one account',
    advice:
      'Ask its owner: a device with an old password looks like this, and so does a guesser. The account waits by itself. If `logins` is not 0, look at those sessions.'
  },
  many_addresses: {
    title: 'Many addresses try one account',
    advice:
      'A guesser with many machines: limits by address do not stop it, the wait of the account does. Tell its owner. If `logins` is not 0, end its sessions and have the password changed.'
  },
  refresh_reuse: {
    title: 'A replaced refresh token came back',
    advice:
      'Somebody has a copy of it, or a client keeps old tokens. The session has been ended already. Ask the user, and look for the other address; several users of one application at once mean a fault in that application.'
  },
  ownership_probing: {
    title: 'A user asks for what belongs to others',
    advice:
      'All of it was refused. Look at what the account did otherwise; switch it off if a person is behind it, and look for the fault if it is an application.'
  },
  signup_burst: {
    title: 'A burst of signups from one network',
    advice:
      'Accounts are being made by a machine, or a class signs up. Look at their emails and at what they do next; lower RATE_LIMIT_SIGNUP, or have the gateway ask more of that network.'
  }
} as const satisfies Record<string, Pattern>

export type PatternName = keyof typeof PATTERNS

export interface Insight extends InsightRow, Pattern {
  /** The filters at `/admin/api/events` that list what was found. */
  events: Record<string, string>
}

const SUBJECT_FILTERS: Record<PatternName, (subject: string) => Record<string, string>> = {
  address_failures: (ip) => ({ ip, success: 'false' }),
  spraying: (ip) => ({ ip, success: 'false' }),
  account_failures: (email) => ({ email, success: 'false' }),
  many_addresses: (email) => ({ email, success: 'false' }),
  refresh_reuse: (user_id) => ({ user_id, type: 'refresh_reuse_detected' }),
  ownership_probing: (user_id) => ({ user_id, type: 'ownership_denied' }),
  signup_burst: (ip) => ({ ip, type: 'signup', success: 'true' })
}

const MOST = 200

/** What looks suspicious, the latest first. Throws `invalid_request`. */
export async function readInsights(
  db: Db,
  window: string | undefined
): Promise<{ insights: Insight[]; total: number }> {
  const { insights, total } = await listInsights(db, { windowSeconds: readInsightWindow(window), limit: MOST })
  return { insights: insights.map(explained), total }
}

function explained(row: InsightRow): Insight {
  const pattern = row.pattern as PatternName
  const from = row.since.toISOString()
  // `to` is no longer part of it.
  const to = new Date(row.until.getTime() + 1).toISOString()
  return { ...row, ...PATTERNS[pattern], events: { ...SUBJECT_FILTERS[pattern](row.subject), from, to } }
}
