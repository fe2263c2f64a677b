import t from 'tap'
import { csvRecord } from '../../src/lib/csv.js'

t.test('a cell that a spreadsheet would run as a formula is made text', async (t) => {
  for (const cell of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠x']) {
    t.equal(csvRecord([cell]), `"'${cell}"\r\n`, JSON.stringify(cell))
  }
  t.equal(csvRecord(['=HYPERLINK("http://evil.example","x")']), `"'=HYPERLINK(""http://evil.example"",""x"")"\r\n`)
  for (const cell of ['a=1', ' x', "'=1", '1-1', 'ada+tag@example.com']) t.equal(csvRecord([cell]), `${cell}\r\n`)
})

t.test('separators, quotes and line ends stay inside their cell', async (t) => {
  t.equal(csvRecord(['a,b', 'say "x"', 'two\nlines', null, '']), '"a,b","say ""x""","two\nlines",,\r\n')
})
