import t from 'tap'
import { newSecret } from '../../src/lib/kept-secret.js'
import { placeholder, weakness } from '../../src/lib/secret-strength.js'

t.test('a generated secret is neither weak nor a placeholder', async (t) => {
  for (let count = 0; count < 1000; count++) {
    const secret = newSecret()
    if (weakness(secret) ?? placeholder(secret)) t.fail(secret)
  }
  t.equal(new Set(Array.from({ length: 100 }, newSecret)).size, 100)
})

t.test('what is short or made of few bytes is weak', async (t) => {
  for (const secret of ['', 'x'.repeat(31), 'a'.repeat(32), 'abcdefg'.repeat(9), '0'.repeat(1000)])
    t.ok(weakness(secret))
  t.equal(weakness('0123456789abcdef'.repeat(2)), undefined)
})

t.test('what repeats itself or says that it is a sample is a placeholder', async (t) => {
  const samples = [
    '0123456789abcdef'.repeat(2),
    'Please-Change-Me-0123456789-abcdef',
    'an EXAMPLE of 32 bytes or even more'
  ]
  for (const secret of samples) t.ok(placeholder(secret), secret)
})
