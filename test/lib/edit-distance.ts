import t from 'tap'
import { editDistance } from '../../src/lib/edit-distance.js'

t.test('insertions, deletions, replacements and swaps count one each', async (t) => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['abc', '', 3],
    ['', 'abc', 3],
    ['AUTH_SECRET', 'AUTH_SECRET', 0],
    ['AUTH_SECERT', 'AUTH_SECRET', 1],
    ['AUTHSECRET', 'AUTH_SECRET', 1],
    ['AUTH_SECRETS', 'AUTH_SECRET', 1],
    ['AUTH_SEKRET', 'AUTH_SECRET', 1],
    ['kitten', 'sitting', 3]
  ]
  for (const [from, to, distance] of cases) t.equal(editDistance(from, to), distance, `${from} ${to}`)
})
