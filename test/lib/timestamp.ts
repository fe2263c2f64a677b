import t from 'tap'
import { parseTimestamp } from '../../src/lib/timestamp.js'

t.test('a time as RFC 3339 writes it is read to the millisecond', async (t) => {
  const cases: [string, string][] = [
    ['2026-01-14T09:30:00Z', '2026-01-14T09:30:00.000Z'],
    ['2026-01-14t09:30:00z', '2026-01-14T09:30:00.000Z'],
    ['2026-01-14T09:30:00.1Z', '2026-01-14T09:30:00.100Z'],
    ['2026-01-14T09:30:00.123456789Z', '2026-01-14T09:30:00.123Z'],
    ['2026-01-14T09:30:00+02:00', '2026-01-14T07:30:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z']
  ]
  for (const [text, expected] of cases) t.equal(parseTimestamp(text)?.toISOString(), expected, text)
})

t.test('what is no time is undefined', async (t) => {
  const none = ['', '2026-01-14', '2026-01-14T09:30Z', '2026-01-14T09:30:00', '2026-01-14 09:30:00Z', '1768383000']
  const impossible = ['2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-14T24:00:01Z', '2026-01-14T09:30:60Z']
  const strange = [
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '2026-01-14T09:30:00+99:00',
    'now',
    '+012026-01-14T09:30:00Z'
  ]
  for (const text of [...none, ...impossible, ...strange]) t.equal(parseTimestamp(text), undefined, text)
})
