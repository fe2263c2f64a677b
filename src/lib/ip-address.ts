import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Stands for a peer whose address is not known; one key, so that nobody gets away without a count. */
const UNKNOWN = '0.0.0.0'

/**
 * The one spelling of an IP address, or undefined for what is none: IPv6 as RFC 5952 writes it, without its zone, and
 * IPv4 mapped into IPv6 as IPv4. Octal, hexadecimal and short forms (`010.0.0.1`, `127.1`) are no addresses here: two readers
 * would understand them differently.
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text
  if (!isIPv6(text)) return undefined
  const [address = ''] = text.split('%')
  const parsed = ipaddr.IPv6.parse(withoutDots(address))
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String()
}

/** The parser takes `::1.2.3.4` for `::ffff:1.2.3.4`, which is another address; as hexadecimal groups it cannot. */
function withoutDots(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_match, ...parts: string[]) => {
    const [a, b, c, d] = parts.slice(0, 4).map(Number) as [number, number, number, number]
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
}

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 one, which is the least that a provider
 * gives to a customer. Takes what `canonicalAddress` gives.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)
  return `${network.toRFC5952String()}/64`
}

/** An entry of `X-Forwarded-For`: some proxies write a port after the address, and IPv6 in brackets. */
function entryAddress(entry: string): string | undefined {
  const text = entry.trim()
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1]
  if (bracketed !== undefined) return isIPv6(bracketed) ? canonicalAddress(bracketed) : undefined
  return canonicalAddress(text) ?? canonicalAddress(/^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? '')
}

/**
 * The canonical address of the client. `peer` is the socket's; only if it is trusted is `X-Forwarded-For` looked at,
 * from the right: the first entry that is not trusted is the client, since everything left of it is what the client
 * chose to write. All trusted: the left-most. An entry that is no address: the peer.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean
): string {
  const socketAddress = canonicalAddress(peer ?? '') ?? UNKNOWN
  if (!forwardedFor || !isTrusted(socketAddress)) return socketAddress
  let address: string | undefined
  for (const entry of forwardedFor.split(',').reverse()) {
    address = entryAddress(entry)
    if (address === undefined) return socketAddress
    if (!isTrusted(address)) break
  }
  return address ?? socketAddress
}
