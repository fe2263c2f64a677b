import type { Config } from '../../../config.js'
import { printable } from '../../../lib/printable.js'
import { type Finding, fail, ok, warn } from '../finding.js'
import { type Answer, type Ask, isRefusal } from './ask.js'

const CHECK = 'gateway'
const METADATA = '/auth/.well-known/oauth-authorization-server'

/** Whether the URL leads to a service with these settings. The first failure makes everything after it meaningless. */
export async function checkReach(ask: Ask, base: string, { issuer }: Config): Promise<Finding[]> {
  const answer = await ask(METADATA)
  if (answer.status === 0) {
    return [fail(CHECK, `${base} cannot be reached: ${printable(answer.text, 200)}`, 'see the URL and its certificate')]
  }
  if (isRefusal(answer, 'https_required')) return [plainHttp(base)]
  const said = answer.json?.issuer
  if (answer.status !== 200 || typeof said !== 'string') return [notPostern(base, answer)]
  if (said !== issuer) {
    const found = `the service behind it has ISSUER=${printable(said, 200)}, these settings ${issuer}`
    return [fail(CHECK, found, 'run this with the settings of that service')]
  }
  const reached = ok(CHECK, `${base}/auth leads to this service`)
  if (`${base}/auth` === issuer) return [reached]
  const advice = 'right from inside; applications must reach it at ISSUER'
  return [reached, warn('gateway: issuer', `asked at ${base}/auth, and ISSUER is ${issuer}`, advice)]
}

function plainHttp(base: string): Finding {
  if (base.startsWith('http:')) {
    return fail(CHECK, 'plain http is refused here, as production should', 'give the https URL of the gateway')
  }
  return fail(
    CHECK,
    'the gateway says of an https request that it came by http',
    'have it send X-Forwarded-Proto: https'
  )
}

function notPostern(base: string, { status, text }: Answer): Finding {
  const found = `GET ${base}${METADATA} is answered ${status}, not by Postern: ${printable(text, 100)}`
  return fail(CHECK, found, 'forward /auth/* with its path unchanged')
}
