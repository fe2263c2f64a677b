import type { Config } from '../../../config.js'
import { STRICT_TRANSPORT_SECURITY } from '../../../lib/security-headers.js'
import { type Finding, fail, ok } from '../finding.js'
import { type Answer, type Ask, isRefusal } from './ask.js'

const CHECK = 'gateway: scheme'
const PATH = '/auth/settings'
const ADVICE = 'have the gateway overwrite X-Forwarded-Proto with its own scheme, and name it in TRUST_PROXY'

/** Postern says HSTS exactly where it believes that the client came by https. */
const isSeenAsHttps = ({ headers }: Answer): boolean =>
  headers['strict-transport-security'] === STRICT_TRANSPORT_SECURITY

/** Whether Postern learns by which scheme a client came, and from the gateway alone. */
export async function checkScheme(ask: Ask, base: string, { production }: Config): Promise<Finding> {
  const plain = await ask(PATH)
  const other = base.startsWith('https:') ? 'http' : 'https'
  const forged = await ask(PATH, { headers: { 'x-forwarded-proto': other, forwarded: `proto=${other}` } })
  const isMoved = isSeenAsHttps(plain) !== isSeenAsHttps(forged) || isRefusal(forged, 'https_required')
  if (isMoved) return fail(CHECK, `a client's own X-Forwarded-Proto: ${other} is believed`, ADVICE)
  if (other === 'https') return judgeHttp(production)
  if (isSeenAsHttps(plain)) return ok(CHECK, 'https arrives as https, and a forged X-Forwarded-Proto changes nothing')
  return fail(CHECK, 'https does not arrive as https: no HSTS, and plain http would not be refused', ADVICE)
}

/** Whoever is marked as plain http would have been refused by now. */
function judgeHttp(production: boolean): Finding {
  if (production) return fail(CHECK, 'plain http is let in: the gateway does not mark it', ADVICE)
  return ok(CHECK, 'a forged X-Forwarded-Proto changes nothing; plain http is refused in production alone')
}
