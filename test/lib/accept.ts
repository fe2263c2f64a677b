import t from 'tap'
import { preferredType } from '../../src/lib/accept.js'

const OFFERED = ['application/json', 'application/x-ndjson', 'text/csv'] as const

t.test('the media type with the highest quality is taken, and the first among equals', async (t) => {
  const cases: [string | undefined, string][] = [
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['text/csv', 'text/csv'],
    ['TEXT/CSV; q=0.5', 'text/csv'],
    ['application/x-ndjson', 'application/x-ndjson'],
    ['text/*', 'text/csv'],
    ['text/csv, */*', 'application/json'],
    ['text/csv, */*;q=0.1', 'text/csv'],
    ['application/json;q=0.2, text/csv;q=0.3', 'text/csv'],
    ['text/csv;q=0, */*', 'application/json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/json'],
    ['image/png', 'application/json'],
    ['text/csv;q=2', 'application/json'],
    ['text/csv;q=x, application/x-ndjson;q=0.1', 'application/x-ndjson']
  ]
  for (const [accept, expected] of cases) t.equal(preferredType(accept, OFFERED), expected, String(accept))
})
