import t from 'tap'
import { decimalRange } from '../../src/lib/decimal-range.js'

const RANGES: [number, number][] = [
  [1, 1],
  [1, 100],
  [1, 9],
  [9, 11],
  [7, 365],
  [99, 1001],
  [10, 20],
  [123, 4567]
]

for (const [minimum, maximum] of RANGES) {
  t.test(`the pattern from ${minimum} to ${maximum} matches these numbers and no others`, async (t) => {
    const pattern = new RegExp(decimalRange(minimum, maximum))
    const wrong = []
    for (let number = 0; number < 12_000; number += 1) {
      if (pattern.test(String(number)) !== (number >= minimum && number <= maximum)) wrong.push(number)
    }
    t.strictSame(wrong, [])
  })
}

t.test('only the plain spelling of a number matches', async (t) => {
  const pattern = new RegExp(decimalRange(1, 100))
  for (const text of ['', ' 5', '5 ', '+5', '-5', '05', '5.0', '5e0', '0x5', '5\n', '५', '1_0']) {
    t.notOk(pattern.test(text), JSON.stringify(text))
  }
})
