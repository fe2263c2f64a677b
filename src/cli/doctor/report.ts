import { textTable } from '../table.js'
import type { Finding, Status } from './finding.js'

const SHOWN: Record<Status, string> = { ok: 'ok', warn: 'warn', fail: 'FAIL', skip: 'skip' }

/** A row for each finding, below it what to do about it, and a line that counts. */
export function reportText(findings: readonly Finding[]): string {
  const rows = findings.flatMap(({ check, status, found, advice }) => [
    [SHOWN[status], check, found],
    ...(advice === undefined ? [] : [['', '', `→ ${advice}`]])
  ])
  const count = (wanted: Status) => findings.filter(({ status }) => status === wanted).length
  return `${textTable(rows)}\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed, ${count('skip')} not checked\n`
}

export function reportJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ ok: !hasFailed(findings), checks: findings })}\n`
}

export function hasFailed(findings: readonly Finding[]): boolean {
  return findings.some(({ status }) => status === 'fail')
}
