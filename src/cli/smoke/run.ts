import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { printable } from '../../lib/printable.js'
import { type Answer, type Visit, visitor } from './visit.js'

/** One line of the list: what was tried, what should have come and what came. */
export interface Result {
  check: string
  ok: boolean
  wanted: Outcome
  got: Outcome
  /** The beginning of the answer, only where it was not the wanted one. */
  body?: string
}

export interface Outcome {
  status: number
  code?: string
}

export interface SmokeOptions {
  onResult(result: Result): void
  /** A limit that an earlier run has used up is waited for. */
  onWait(seconds: number): void
}

const PASSWORD = 'Correct1horse'
const STRANGER = '00000000-0000-7000-8000-000000000000'
/** Signed under a key of 2020: what a token looks like that has long expired. */
const TOKEN_OF_2020 =
  'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Im9sZCJ9.eyJpYXQiOjE1Nzc4MzY4MDAsImV4cCI6MTU3NzkyMzIwMH0.c2lnbmVkLWluLTIwMjA'
const OTHER_SIGNATURE = 'c2lnbmVkLWJ5LXNvbWVib2R5LWVsc2U'
/** Longer lives than this are not waited for. */
const SHORT_LIFE_SECONDS = 15
/** The leeway of a check, and a second. */
const EXPIRY_SECONDS = 6

type Expect = (answer: Answer, check: string, status: number, code?: string) => void

interface Visitor {
  visit: Visit
  /** As `visit`, once more where the address is over its limit. */
  patiently(path: string, body: object): Promise<Answer>
  expect: Expect
}

/**
 * The life of a user at the service behind `url`, as scripts/smoke.sh tries it: the same checks, in the same order. It makes one
 * account and uses up this address's logins for a minute. Returns the results; never rejects.
 */
export async function smoke(url: string, { onResult, onWait }: SmokeOptions): Promise<Result[]> {
  const results: Result[] = []
  const visit = visitor(url.replace(/\/$/, ''))
  const expect: Expect = (answer, check, status, code) => {
    const result = judge(answer, check, { status, ...(code !== undefined && { code }) })
    results.push(result)
    onResult(result)
  }
  const patiently = async (path: string, body: object): Promise<Answer> => {
    const first = await visit('POST', path, { body })
    if (first.status !== 429) return first
    const seconds = Number(first.headers.get('retry-after')) || 60
    onWait(seconds)
    await sleep(seconds * 1000)
    return await visit('POST', path, { body })
  }
  await walk({ visit, patiently, expect })
  return results
}

function judge({ status, text, json }: Answer, check: string, wanted: Outcome): Result {
  const code = typeof json?.code === 'string' ? json.code : undefined
  const ok = status === wanted.status && (wanted.code === undefined || code === wanted.code)
  const got = { status, ...(code !== undefined && { code }) }
  return { check, ok, wanted, got, ...(!ok && { body: printable(text, 300) }) }
}

async function walk(visitor: Visitor): Promise<void> {
  const { visit, patiently, expect } = visitor
  const credentials = { email: `smoke-${randomBytes(8).toString('hex')}@example.com`, password: PASSWORD }
  const signedUp = await patiently('/auth/signup', credentials)
  expect(signedUp, 'sign up', 201)
  const loggedIn = await patiently('/auth/login', credentials)
  expect(loggedIn, 'log in', 200)
  const token = String(loggedIn.json?.token ?? '')
  await walkWith(visitor, token, String(signedUp.json?.user_id ?? ''))
  await guess(visitor, credentials)
  expect(await visit('POST', '/auth/logout', { token }), 'log out', 200)
  expect(await visit('GET', '/auth/me', { token }), 'be refused with the old token', 401, 'session_ended')
  await expire(visitor, token, Number(loggedIn.json?.expires_in ?? 86_400))
}

async function walkWith({ visit, expect }: Visitor, token: string, userId: string): Promise<void> {
  expect(await visit('GET', '/auth/me', { token }), 'read /auth/me', 200)
  expect(await visit('GET', `/auth/users/${userId}`, { token }), 'read the own path', 200)
  const strange = await visit('GET', `/auth/users/${STRANGER}`, { token })
  expect(strange, "be refused another user's path", 403, 'not_your_resource')
  expect(await visit('GET', '/auth/me'), 'be refused without a token', 401, 'missing_token')
  const forged = `${token.slice(0, Math.max(0, token.lastIndexOf('.')))}.${OTHER_SIGNATURE}`
  expect(await visit('GET', '/auth/me', { token: forged }), 'be refused with a forged token', 401, 'invalid_token')
}

async function guess({ visit, expect }: Visitor, credentials: { email: string; password: string }): Promise<void> {
  const body = { ...credentials, password: 'Wrong1horse' }
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    const answer = await visit('POST', '/auth/login', { body })
    expect(answer, `attempt ${attempt} with a wrong password`, 401, 'invalid_credentials')
  }
  const sixth = await visit('POST', '/auth/login', { body: credentials })
  expect(sixth, 'attempt 6 is limited, though the password is right', 429, 'rate_limited')
}

/** Last: where tokens live for seconds it is waited for, where they live for hours another one stands in. */
async function expire({ visit, expect }: Visitor, token: string, lifeSeconds: number): Promise<void> {
  const short = lifeSeconds <= SHORT_LIFE_SECONDS
  if (short) await sleep((lifeSeconds + EXPIRY_SECONDS) * 1000)
  const answer = await visit('GET', '/auth/me', { token: short ? token : TOKEN_OF_2020 })
  expect(answer, 'be refused with an expired token', 401, short ? 'token_expired' : 'invalid_token')
}
