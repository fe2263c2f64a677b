import t from 'tap'
import { parseDuration } from '../../src/lib/duration.js'

t.test('a duration has a unit or counts seconds', async (t) => {
  const good = {
    '500ms': 500,
    '10s': 10_000,
    '15m': 900_000,
    '24h': 86_400_000,
    '7d': 604_800_000,
    '60': 60_000,
    '0': 0
  }
  for (const [text, ms] of Object.entries(good)) t.equal(parseDuration(text), ms, text)
})

t.test('anything else is no duration', async (t) => {
  for (const text of ['', 's', '1.5h', '-1s', '1 s', ' 1s', '1S', '1w', '1e3', '0x1', '1s1s', '1234567890123']) {
    t.equal(parseDuration(text), undefined, text)
  }
})
