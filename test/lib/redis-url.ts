import t from 'tap'
import { describeRedis, parseRedisUrl } from '../../src/lib/redis-url.js'

const plain = { host: 'h', port: 6379, tls: false, user: undefined, password: undefined, database: 0 }

t.test('user, password, port and database may be left out', async (t) => {
  t.strictSame(parseRedisUrl('redis://h'), plain)
  t.strictSame(parseRedisUrl('redis://h/'), plain)
  t.strictSame(parseRedisUrl('rediss://h:6380/15'), { ...plain, port: 6380, tls: true, database: 15 })
  t.strictSame(parseRedisUrl('redis://:p@h'), { ...plain, password: 'p' })
  t.strictSame(parseRedisUrl('redis://u:p@h'), { ...plain, user: 'u', password: 'p' })
  t.strictSame(parseRedisUrl('redis://[2001:db8::1]:1'), { ...plain, host: '2001:db8::1', port: 1 })
})

t.test('user and password are percent-decoded, and a password may have colons', async (t) => {
  t.match(parseRedisUrl('redis://a%40b:c%3A%2Fd:e@h'), { user: 'a@b', password: 'c:/d:e' })
})

t.test('what is wrong is named, and the URL is never repeated', async (t) => {
  const wrong: Record<string, RegExp> = {
    'canary://h': /no URL of the form/,
    'redis://': /no URL of the form/,
    'redis://h:canary': /no URL of the form/,
    'redis://h/canary': /no URL of the form/,
    'redis://a b:canary@h': /no URL of the form/,
    'redis://:canary@a@h': /no URL of the form/,
    'redis://h:0': /port/,
    'redis://:canary@h:65536': /port/,
    'redis://canary@h': /user without a password/,
    'redis://canary:@h': /empty password/,
    'redis://:canary%2@h': /hexadecimal/,
    'redis://h?db=canary': /parameters/
  }
  for (const [url, message] of Object.entries(wrong)) {
    t.throws(() => parseRedisUrl(url), { message }, url)
    try {
      parseRedisUrl(url)
    } catch (error) {
      t.notMatch((error as Error).message, 'canary')
    }
  }
})

t.test('where it is can be told without a secret', async (t) => {
  t.equal(describeRedis(parseRedisUrl('rediss://user:canary@[::1]:7/3')), 'rediss://[::1]:7/3')
  t.equal(describeRedis(parseRedisUrl('redis://:canary@h')), 'redis://h:6379/0')
})
