import ipaddr from 'ipaddr.js'
import { canonicalAddress } from './ip-address.js'

/** An address, or a whole network. */
export interface AddressRange {
  /** As PostgreSQL's `inet` takes it: `203.0.113.7`, `2001:db8::/64`. */
  text: string
  isNetwork: boolean
}

/** Reads an address or a network in CIDR notation, in any spelling that has one meaning; undefined for anything else. */
export function addressRange(text: string): AddressRange | undefined {
  const [address = '', bits, ...rest] = text.split('/')
  const canonical = address.includes('%') ? undefined : canonicalAddress(address)
  if (canonical === undefined || rest.length > 0) return undefined
  if (bits === undefined) return { text: canonical, isNetwork: false }
  const isV6 = canonical.includes(':')
  // A mapped IPv4 address has become one, to which these bits do not belong.
  if (isV6 !== address.includes(':') || !/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > (isV6 ? 128 : 32)) {
    return undefined
  }
  const kind = isV6 ? ipaddr.IPv6 : ipaddr.IPv4
  return { text: `${kind.networkAddressFromCIDR(`${canonical}/${bits}`).toString()}/${bits}`, isNetwork: true }
}
