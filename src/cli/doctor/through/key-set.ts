import type { Config } from '../../../config.js'
import { type Finding, fail, ok, warn } from '../finding.js'
import type { Answer, Ask } from './ask.js'
import type { Published } from './gateway.js'

const PATH = '/auth/.well-known/jwks.json'
const CACHE = 'gateway: key set caching'

/** Whether verifiers get the keys of now, and keep them for no longer than they may. */
export async function checkKeySet(ask: Ask, config: Config, published: Published): Promise<Finding[]> {
  const answer = await ask(PATH)
  const keys = answer.json?.keys
  if (answer.status !== 200 || !Array.isArray(keys)) {
    return [fail('gateway: key set', `GET ${PATH} is answered ${answer.status}`, 'forward it like the rest of /auth/')]
  }
  const kids = keys.map(({ kid }: { kid?: unknown }) => String(kid))
  return [...judgeKeys(kids, published), await caching(ask, answer, config)]
}

function judgeKeys(kids: string[], published: Published): Finding[] {
  if (published === undefined) return []
  const missing = published.filter(({ kid }) => !kids.includes(kid)).map(({ kid }) => kid)
  if (missing.length === 0) return [ok('gateway: key set', `${kids.length} keys, those of the database`)]
  const advice = 'have the gateway keep it for no longer than its max-age, and empty its cache now'
  return [fail('gateway: key set', `missing, though published: ${missing.join(', ')}`, advice)]
}

async function caching(ask: Ask, { headers }: Answer, { keyPublishAheadSeconds: ahead }: Config): Promise<Finding> {
  const control = headers['cache-control'] ?? ''
  const age = Number(/\bmax-age=(\d+)/.exec(control)?.[1] ?? Number.NaN)
  if (age > ahead) {
    const found = `verifiers are told to keep it for ${age} s, beyond KEY_PUBLISH_AHEAD (${ahead} s)`
    return fail(CACHE, found, 'let Cache-Control pass: a new key would sign before they have seen it')
  }
  const problems = [
    /\bpublic\b/.test(control) && age > 0 ? '' : `Cache-Control is ${control || 'missing'}`,
    headers.etag === undefined ? 'ETag is missing' : await conditional(ask, headers.etag)
  ].filter((problem) => problem !== '')
  if (problems.length === 0) return ok(CACHE, `max-age=${age}, and 304 for its ETag`)
  return warn(CACHE, problems.join('; '), 'let Cache-Control, ETag and If-None-Match pass')
}

async function conditional(ask: Ask, etag: string): Promise<string> {
  const { status } = await ask(PATH, { headers: { 'if-none-match': etag } })
  return status === 304 ? '' : `its ETag is answered ${status}, not 304`
}
