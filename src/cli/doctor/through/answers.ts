import { SECURITY_HEADERS } from '../../../lib/security-headers.js'
import { type Finding, fail, ok, warn } from '../finding.js'
import { type Ask, isRefusal } from './ask.js'

/** Whether what Postern answers arrives as it is. */
export async function checkAnswers(ask: Ask): Promise<Finding[]> {
  return [await headers(ask), await errors(ask)]
}

async function headers(ask: Ask): Promise<Finding> {
  const check = 'gateway: headers'
  const answer = await ask('/auth/settings')
  const changed = Object.entries(SECURITY_HEADERS).filter(([name, value]) => answer.headers[name] !== value)
  const names = changed.map(([name]) => name)
  if (answer.headers['x-request-id'] === undefined) names.push('x-request-id')
  if (names.length === 0) return ok(check, 'the security headers and X-Request-Id arrive unchanged')
  const found = `missing or changed on the way: ${names.join(', ')}`
  if (names.includes('cache-control'))
    return fail(check, found, 'let Cache-Control: no-store pass: answers hold tokens')
  return warn(check, found, 'let the headers of /auth/ pass as they are')
}

async function errors(ask: Ask): Promise<Finding> {
  const check = 'gateway: errors'
  const answer = await ask('/auth/me')
  const problems = [
    answer.status === 401 ? '' : `the status is ${answer.status}, not 401`,
    isRefusal(answer, 'missing_token') ? '' : 'the body is not ours',
    /^application\/problem\+json\b/.test(answer.headers['content-type'] ?? '') ? '' : 'Content-Type is changed',
    /^Bearer\b/.test(answer.headers['www-authenticate'] ?? '') ? '' : 'WWW-Authenticate is missing'
  ].filter((problem) => problem !== '')
  if (problems.length === 0) return ok(check, 'a 401 arrives with its body and WWW-Authenticate')
  return fail(check, `of a 401 ${problems.join('; ')}`, 'pass the error answers of /auth/ through as they are')
}
