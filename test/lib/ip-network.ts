import t from 'tap'
import { addressRange } from '../../src/lib/ip-network.js'

t.test('an address or a network has one spelling', async (t) => {
  const cases: [string, string, boolean][] = [
    ['203.0.113.7', '203.0.113.7', false],
    ['::ffff:203.0.113.7', '203.0.113.7', false],
    ['2001:DB8:0::1', '2001:db8::1', false],
    ['203.0.113.7/24', '203.0.113.0/24', true],
    ['203.0.113.7/32', '203.0.113.7/32', true],
    ['0.0.0.0/0', '0.0.0.0/0', true],
    ['2001:db8::1/64', '2001:db8::/64', true],
    ['::/0', '::/0', true]
  ]
  for (const [text, expected, isNetwork] of cases) t.strictSame(addressRange(text), { text: expected, isNetwork })
})

t.test('what is neither is undefined', async (t) => {
  const none = ['', 'x', '127.1', '010.0.0.1', '1.2.3.4/', '1.2.3.4/33', '1.2.3.4/-1', '1.2.3.4/08', '1.2.3.4/8/8']
  for (const text of [...none, '::1%eth0', '::1/129', '::1/1e1', '::ffff:1.2.3.4/24', ' 1.2.3.4', "1.2.3.4'--"]) {
    t.equal(addressRange(text), undefined, text)
  }
})
