import { type Finding, fail, ok, warn } from '../finding.js'

const CHECK = 'gateway: client address'
const BELIEVED = 'have the gateway overwrite X-Forwarded-For, or append to it, and TRUST_PROXY name the gateway alone'

export interface SeenAddresses {
  /** What Postern took for the client, without and with forged headers. */
  seen: { plain: string; forged: string }
  /** Our end of the connection to the gateway, and the gateway's. */
  own: string | undefined
  remote: string | undefined
  /** Whether TRUST_PROXY names anybody, and whom. */
  trusts: boolean
  isTrusted: (address: string) => boolean
}

/** Says no more than can be known from outside: between us and the gateway there may be others. */
export function judgeAddress({ seen, own, remote, trusts, isTrusted }: SeenAddresses): Finding {
  const { plain, forged } = seen
  if (plain !== forged) return judgeMoved(plain, forged, own, isTrusted)
  const found = `${plain} arrives, and forged headers change nothing`
  if (plain === own && own !== remote) return ok(CHECK, found)
  if (own === remote && plain === own) {
    const advice = 'run this from another machine: here the gateway and the client have one address'
    return warn(CHECK, found, advice)
  }
  if (!trusts) {
    const shared = `every client has the address of the gateway, ${plain}: TRUST_PROXY is not set`
    return fail(CHECK, shared, `set TRUST_PROXY=${plain}`)
  }
  if (isTrusted(plain)) {
    const unsaid = `every client has the address of the gateway, ${plain}: it sends no X-Forwarded-For`
    return fail(CHECK, unsaid, 'have the gateway send X-Forwarded-For')
  }
  if (plain === remote) {
    const shared = `every client has the address of the gateway, ${plain}: TRUST_PROXY does not name it`
    return fail(CHECK, shared, `add ${plain} to TRUST_PROXY`)
  }
  const advice = `right if the gateway sees this machine as ${plain}; if that is the gateway itself, add it to TRUST_PROXY`
  return warn(CHECK, `${found}; this machine calls itself ${own ?? 'unknown'}`, advice)
}

/** A client that TRUST_PROXY names is a proxy to Postern, and believed: what is seen from there is no proof. */
function judgeMoved(plain: string, forged: string, own: string | undefined, isTrusted: (address: string) => boolean) {
  const found = `a forged header makes ${forged} of ${plain}`
  if (own !== undefined && plain === own && isTrusted(own)) {
    const advice = 'TRUST_PROXY names this machine, too: name the gateway alone, or run this from elsewhere'
    return warn(CHECK, found, advice)
  }
  return fail(CHECK, `${found}: clients choose their address, and with it their limit`, BELIEVED)
}
