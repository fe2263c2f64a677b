import t from 'tap'
import { addressKey, canonicalAddress, clientAddress } from '../../src/lib/ip-address.js'
import { trustedProxies } from '../../src/lib/trusted-proxies.js'

const isTrusted = trustedProxies(['loopback', 'private'])
const client = (peer: string | undefined, forwardedFor?: string) => clientAddress(peer, forwardedFor, isTrusted)

t.test('every spelling of an address has one canonical form', async (t) => {
  const spellings: Record<string, string[]> = {
    '203.0.113.9': [
      '203.0.113.9',
      '::ffff:203.0.113.9',
      '::FFFF:203.0.113.9',
      '::ffff:cb00:7109',
      '0:0:0:0:0:ffff:cb00:7109',
      '0000:0000:0000:0000:0000:ffff:203.0.113.9'
    ],
    '2001:db8::1': ['2001:db8::1', '2001:DB8::0001', '2001:db8:0:0:0:0:0:1', '2001:0db8::0:1', '2001:db8::1%eth0'],
    '::102:304': ['::102:304', '::1.2.3.4'],
    'fe80::1': ['fe80::1', 'fe80::1%2', 'FE80::1%en0'],
    '::1': ['::1', '0:0:0:0:0:0:0:1']
  }
  for (const [canonical, texts] of Object.entries(spellings)) {
    for (const text of texts) t.equal(canonicalAddress(text), canonical, text)
  }
})

t.test('what two readers could understand differently is no address', async (t) => {
  const none = [
    '010.0.0.1',
    '127.1',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    ' 1.2.3.4',
    '1.2.3.4%1'
  ]
  none.push(
    '',
    'unknown',
    'localhost',
    '_hidden',
    ':',
    ':::',
    '1::2::3',
    'g::1',
    '::ffff:010.0.0.1',
    '1:2:3:4:5:6:7:8:9'
  )
  for (const text of none) t.equal(canonicalAddress(text), undefined, text)
})

t.test('an IPv4 address is a client of its own, and an IPv6 one counts as its /64', async (t) => {
  t.equal(addressKey('203.0.113.9'), '203.0.113.9')
  t.equal(addressKey('2001:db8:1:2:aaaa::1'), '2001:db8:1:2::/64')
  t.equal(addressKey('2001:db8:1:2:ffff:ffff:ffff:ffff'), '2001:db8:1:2::/64')
  t.equal(addressKey('2001:db8:1:3::1'), '2001:db8:1:3::/64')
  t.equal(addressKey('::1'), '::/64')
})

t.test('an untrusted peer is the client, whatever it forwards', async (t) => {
  t.equal(client('198.51.100.1', '203.0.113.9'), '198.51.100.1')
  t.equal(client('::ffff:198.51.100.1', '203.0.113.9'), '198.51.100.1')
  t.equal(clientAddress('127.0.0.1', '203.0.113.9', trustedProxies([])), '127.0.0.1')
})

t.test('behind trusted proxies the right-most untrusted entry is the client', async (t) => {
  t.equal(client('127.0.0.1', '203.0.113.9'), '203.0.113.9')
  t.equal(client('::ffff:127.0.0.1', '203.0.113.9'), '203.0.113.9')
  t.equal(client('10.0.0.1', '1.1.1.1, 203.0.113.9, 10.0.0.2'), '203.0.113.9')
  t.equal(client('10.0.0.1', '1.1.1.1,203.0.113.9'), '203.0.113.9')
  t.equal(client('10.0.0.1', 'garbage, 203.0.113.9'), '203.0.113.9')
  t.equal(client('10.0.0.1', '::FFFF:cb00:7109'), '203.0.113.9')
})

t.test('when every entry is trusted the left-most is the client', async (t) => {
  t.equal(client('127.0.0.1', '10.0.0.3, 10.0.0.2'), '10.0.0.3')
})

t.test('a port after the address is dropped, and so are brackets', async (t) => {
  t.equal(client('127.0.0.1', '203.0.113.9:51234'), '203.0.113.9')
  t.equal(client('127.0.0.1', '[2001:DB8::1]:443'), '2001:db8::1')
  t.equal(client('127.0.0.1', '[2001:db8::1]'), '2001:db8::1')
  t.equal(client('127.0.0.1', '2001:db8::1'), '2001:db8::1')
  t.equal(client('127.0.0.1', '1.1.1.1, 10.0.0.2:80'), '1.1.1.1')
})

t.test('an entry that is no address counts as the peer', async (t) => {
  const entries = [
    'unknown',
    '127.1',
    '010.1.1.1',
    '1.2.3.4:',
    '1.2.3.4:x',
    '[1.2.3.4]',
    '[::1',
    '"1.2.3.4"',
    'for=1.2.3.4'
  ]
  entries.push('203.0.113.9,', ',', ' ', '203.0.113.9, unknown', '1.2.3.4 5.6.7.8', '1.2.3.4:123456', '127.1:80')
  for (const entry of entries) t.equal(client('127.0.0.1', entry), '127.0.0.1', entry)
})

t.test('a peer without an address has a key like any other', async (t) => {
  t.equal(client(undefined), '0.0.0.0')
  t.equal(client(undefined, '203.0.113.9'), '0.0.0.0')
  t.equal(client('/run/postern.sock', '203.0.113.9'), '0.0.0.0')
})
