import { Command } from 'commander'
import { toBaseUrl } from './arguments.js'
import { documented, type Notes } from './documented.js'
import type { Outcome, Result } from './smoke/run.js'

const NOTES: Notes = {
  about: [
    "It makes one account (smoke-…@example.com) and uses up this address's logins for a minute. It needs no settings."
  ],
  examples: [
    ['postern smoke http://localhost:3000'],
    ['postern smoke https://example.com', 'by way of the gateway'],
    ["postern smoke https://example.com --json | jq '.checks[] | select(.ok | not)'"]
  ],
  exits: { 0: 'every check passed', 1: 'one did not' }
}

/** `postern smoke`: scripts/smoke.sh where there is no curl. The same lines; 1 when a check failed. */
export function smokeCommand(): Command {
  const command = new Command('smoke')
    .description('try the life of a user at a running service, by way of its gateway or not')
    .argument('<url>', 'where /auth is', toBaseUrl)
    .option('--json', 'as JSON', false)
    .action(async (url: string, { json }: { json: boolean }) => {
      const { smoke } = await import('./smoke/run.js')
      const say = (line: string) => json || process.stdout.write(`${line}\n`)
      const results = await smoke(url, {
        onResult: (result) => say(lineOf(result)),
        onWait: (seconds) => say(`      this address is over its limit; waiting ${seconds} s`)
      })
      const failed = results.filter(({ ok }) => !ok).length
      const passed = results.length - failed
      if (json) process.stdout.write(`${JSON.stringify({ passed, failed, checks: results })}\n`)
      else say(`${passed} passed, ${failed} failed`)
      if (failed > 0) process.exitCode = 1
    })
  return documented(command, NOTES)
}

function lineOf({ check, ok, wanted, got, body }: Result): string {
  if (ok) return `ok    ${check}: ${text(wanted)}`
  return `FAIL  ${check}: wanted ${text(wanted)}, got ${String(got.status).padStart(3, '0')} ${body}`
}

function text({ status, code }: Outcome): string {
  return code === undefined ? String(status) : `${status} ${code}`
}
