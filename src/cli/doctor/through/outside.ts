import { randomBytes } from 'node:crypto'
import { SECURITY_HEADERS } from '../../../lib/security-headers.js'
import type { Progress } from '../../progress.js'
import { type Finding, fail, ok, warn } from '../finding.js'
import { type Answer, type Ask, isRefusal } from './ask.js'

const CHECK = 'gateway: outside /auth'

/** Ours, not the API's own: it says so by the headers that Postern puts on every answer. */
const isOurs = ({ headers }: Answer): boolean =>
  headers['content-security-policy'] === SECURITY_HEADERS['content-security-policy']

const isPage = ({ status, headers, text }: Answer, word: RegExp): boolean =>
  status === 200 && /^text\/html/.test(headers['content-type'] ?? '') && word.test(text)

/** What is for operators alone, and how it is known that Postern has answered it. */
const OPERATORS: Record<string, (answer: Answer) => boolean> = {
  '/livez': (answer) => answer.status === 200 && answer.json?.status === 'ok' && isOurs(answer),
  '/readyz': (answer) =>
    (answer.status === 200 && answer.json?.status === 'ok' && isOurs(answer)) || isRefusal(answer, 'unavailable'),
  '/metrics': (answer) =>
    (answer.status === 200 && answer.text.includes('postern_')) || isRefusal(answer, 'missing_token', 'invalid_token'),
  '/docs/': (answer) => isPage(answer, /swagger/i),
  '/admin/': (answer) => isPage(answer, /postern/i),
  '/admin/api/users': (answer) => isRefusal(answer, 'missing_token', 'admin_required')
}

const encodedFirst = (path: string): string => `/%${path.charCodeAt(1).toString(16)}${path.slice(2)}`

/** Two programs that read a path differently are how such a path gets through. */
const SPELLINGS: ((path: string) => string)[] = [
  (path) => path,
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => `${path}?a=/auth/`,
  (path) => `/auth/..${path}`,
  (path) => `/auth/%2e%2e${path}`,
  (path) => `/auth/..%2f${path.slice(1)}`,
  (path) => `/auth/%2e%2e%2f${path.slice(1)}`,
  (path) => `/auth/..;${path}`,
  (path) => `/auth/..\\${path.slice(1)}`,
  (path) => `/x/..${path}`,
  encodedFirst,
  (path) => path.toUpperCase()
]

/** What of Postern can be reached besides `/auth/`, in plain and in odd spellings. */
export async function checkOutside(ask: Ask, progress: Progress): Promise<Finding[]> {
  const reached: string[] = []
  for (const [path, isAnswered] of Object.entries(OPERATORS)) {
    progress.say(`trying ${path} …`)
    for (const spell of SPELLINGS) {
      const answer = await ask(spell(path))
      if (isAnswered(answer)) reached.push(spell(path))
    }
  }
  return [judge(reached), ...(await elsewhere(ask, reached.length > 0))]
}

function judge(reached: string[]): Finding {
  const tried = `${Object.keys(OPERATORS).join(' ')}, each in ${SPELLINGS.length} spellings`
  if (reached.length === 0) return ok(CHECK, `not reachable: ${tried}`)
  const shown = reached.slice(0, 6).join(' ')
  const more = reached.length > 6 ? ` and ${reached.length - 6} more` : ''
  return fail(CHECK, `reachable: ${shown}${more}`, 'forward /auth/ and nothing else, by the path as it was normalised')
}

/** A list of what is kept out forgets what comes later. */
async function elsewhere(ask: Ask, known: boolean): Promise<Finding[]> {
  const answer = await ask(`/doctor-${randomBytes(6).toString('hex')}`)
  if (known || !isRefusal(answer, 'not_found')) return []
  return [warn(CHECK, 'any other path is forwarded to Postern, too', 'forward /auth/ and nothing else')]
}
