import ipaddr from 'ipaddr.js'

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number]

const NAMED: Record<string, string[]> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10']
}

/**
 * Compiles a list of addresses, CIDR ranges, `loopback` and `private` to a test of a peer's address. An IPv4 address
 * that is mapped into IPv6 counts as IPv4; what cannot be parsed is trusted by nobody. Throws on an entry that is no range.
 */
export function trustedProxies(entries: readonly string[]): (address: string | undefined) => boolean {
  const ranges = entries
    .flatMap((entry) => (Object.hasOwn(NAMED, entry) ? (NAMED[entry] ?? []) : entry))
    .map(parseRange)
  return (address) => {
    if (ranges.length === 0 || address === undefined || !ipaddr.isValid(address)) return false
    const peer = ipaddr.process(address)
    return ranges.some(([network, bits]) => peer.kind() === network.kind() && peer.match(network, bits))
  }
}

function parseRange(entry: string): Range {
  if (entry.includes('/')) return ipaddr.parseCIDR(entry)
  const address = ipaddr.process(entry)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}
