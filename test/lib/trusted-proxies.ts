import t from 'tap'
import { trustedProxies } from '../../src/lib/trusted-proxies.js'

t.test('nobody is trusted by default', async (t) => {
  const trusts = trustedProxies([])
  t.notOk(trusts('127.0.0.1'))
  t.notOk(trusts(undefined))
})

t.test('addresses, ranges and names are trusted, and only they', async (t) => {
  const trusts = trustedProxies(['loopback', '203.0.113.7', '198.51.100.0/24', '2001:db8::/32'])
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '203.0.113.7', '198.51.100.255', '2001:db8:1::1']) {
    t.ok(trusts(address), address)
  }
  for (const address of ['203.0.113.8', '198.51.101.0', '10.0.0.1', '2001:db9::1', 'fe80::1', '', 'localhost']) {
    t.notOk(trusts(address), address)
  }
})

t.test('an IPv4 address mapped into IPv6 counts as IPv4', async (t) => {
  t.ok(trustedProxies(['loopback'])('::ffff:127.0.0.1'))
  t.ok(trustedProxies(['::ffff:203.0.113.7'])('203.0.113.7'))
  t.notOk(trustedProxies(['::/0'])('203.0.113.7'))
})

t.test('private covers the private ranges of both families', async (t) => {
  const trusts = trustedProxies(['private'])
  for (const address of ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1']) t.ok(trusts(address))
  for (const address of ['172.32.0.1', '192.169.0.1', '8.8.8.8', '127.0.0.1', '2001:db8::1']) t.notOk(trusts(address))
})

t.test('an entry that is no range is refused', async (t) => {
  for (const entry of ['nonsense', '10.0.0.0/33', '', '*']) t.throws(() => trustedProxies([entry]), entry)
})
