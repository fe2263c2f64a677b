// Prints the coverage of the last whole test run and fails below the floor. Usage: npm run coverage
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const FLOOR = { lines: 90, branches: 80 }

const report = spawnSync('node_modules/.bin/tap', ['report', 'json-summary'], { encoding: 'utf8' })
if (report.status !== 0) process.stderr.write(report.stderr)
const { total } = JSON.parse(readFileSync('.tap/report/coverage-summary.json', 'utf8'))
let failed = 0
for (const [kind, floor] of Object.entries(FLOOR)) {
  const { pct } = total[kind]
  const good = pct >= floor
  if (!good) failed += 1
  console.log(`${good ? 'ok  ' : 'FAIL'}  ${kind} ${pct} %, floor ${floor} %`)
}
process.exitCode = failed === 0 ? 0 : 1
