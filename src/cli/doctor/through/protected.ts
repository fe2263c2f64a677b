import { randomBytes } from 'node:crypto'
import { type Finding, fail, ok, skip, warn } from '../finding.js'
import type { Answer, Ask } from './ask.js'

interface Identity {
  userId: string
  token: string
}

const STRANGER = '00000000-0000-7000-8000-000000000000'
const OWNER = ':user_id'

const isLetIn = ({ status }: Answer): boolean => status >= 200 && status < 300

/** Whether the gateway asks Postern about these paths, and whether a client can be somebody else there. */
export async function checkProtected(ask: Ask, paths: readonly string[], identity: Identity): Promise<Finding[]> {
  if (paths.length === 0) return [skip('gateway: protected paths', 'not checked: name one with --protected /api/…')]
  const findings: Finding[] = []
  for (const path of paths) findings.push(...(await checkPath(ask, path, identity)))
  return findings
}

async function checkPath(ask: Ask, path: string, { userId, token }: Identity): Promise<Finding[]> {
  const own = path.replaceAll(OWNER, userId)
  const findings = [await withoutToken(ask, path, own), await identityHeaders(ask, path, own, { userId, token })]
  if (path.includes(OWNER)) findings.push(await ownership(ask, path, own, token))
  return findings
}

/** Headers that name somebody else, each by a mark of its own. */
function forgedHeaders(): { headers: Record<string, string>; marks: Record<string, string> } {
  const mark = () => `00000000-0000-7000-8000-${randomBytes(6).toString('hex')}`
  const marks = {
    'X-User-Id': mark(),
    'X-User-Email': `${mark()}@postern.invalid`,
    'X-Session-Id': mark(),
    X_User_Id: mark()
  }
  return { headers: marks, marks }
}

const SPELLINGS: ((path: string) => string)[] = [
  (path) => path,
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => `/auth/..${path}`,
  (path) => `/%${path.charCodeAt(1).toString(16)}${path.slice(2)}`,
  (path) => `${path}?access_token=x`
]

/** A 401 for each spelling; a 404 or a redirect lets nobody in either. */
async function withoutToken(ask: Ask, path: string, own: string): Promise<Finding> {
  const check = `gateway: ${path} without a token`
  const { headers } = forgedHeaders()
  const letIn: string[] = []
  let first = 0
  for (const spell of SPELLINGS) {
    const answer = await ask(spell(own), { headers })
    first ||= answer.status
    if (isLetIn(answer)) letIn.push(spell(path))
  }
  if (letIn.length > 0) return fail(check, `let in: ${letIn.join(' ')}`, 'have the gateway ask /auth/verify about it')
  if (first === 401) return ok(check, `401, in ${SPELLINGS.length} spellings, whatever X-User-Id says`)
  return warn(check, `refused, with ${first} and not 401`, 'see whether this is a path of the API, and pass the 401 on')
}

/** What the API gets can be seen only where it says so: in a path that shows the headers of its request. */
async function identityHeaders(ask: Ask, path: string, own: string, { userId, token }: Identity): Promise<Finding> {
  const check = `gateway: ${path} identity`
  const { headers, marks } = forgedHeaders()
  const answer = await ask(own, { headers, token })
  if (!isLetIn(answer)) {
    const advice = path.includes(OWNER)
      ? 'see the answer of the API'
      : `is it owned? Then write ${OWNER} where the id stands`
    return warn(check, `a good token is answered ${answer.status}`, advice)
  }
  const shown = `${JSON.stringify(answer.headers)}${answer.text}`
  const through = Object.entries(marks).filter(([, value]) => shown.includes(value))
  if (through.length > 0) {
    const names = through.map(([name]) => name).join(', ')
    return fail(check, `what a client sends as ${names} reaches the API`, 'overwrite or remove it in the gateway')
  }
  if (shown.includes(userId)) return ok(check, 'the API gets the id of the token, not what a client sends')
  return skip(check, 'not checked: the answer shows no headers; name a path that shows those of its request')
}

/** A stranger's path, also when a client's own headers claim that another one was asked for. */
async function ownership(ask: Ask, path: string, own: string, token: string): Promise<Finding> {
  const check = `gateway: ${path} of another user`
  const strange = path.replaceAll(OWNER, STRANGER)
  const plain = await ask(strange, { token })
  const headers = { 'x-original-uri': own, 'x-forwarded-uri': own, 'x-original-url': own, 'x-rewrite-url': own }
  const forged = await ask(strange, { token, headers })
  if (isLetIn(plain))
    return fail(check, `let in, with ${plain.status}`, 'set the owner rule: OWNER_PATHS, or owner_path')
  if (isLetIn(forged)) {
    return fail(
      check,
      "let in, where a client's own X-Original-URI names his",
      'overwrite the header that names the path'
    )
  }
  if (plain.status === 403) return ok(check, '403, whatever X-Original-URI and X-Forwarded-Uri say')
  return warn(check, `refused, with ${plain.status} and not 403`, 'pass the 403 on')
}
