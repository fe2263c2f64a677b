import { v7 as uuidv7 } from 'uuid'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const IDLE = 7 * DAY

/** How much of a day's work falls into each hour (UTC), and of a week's into each day, Sunday first. */
const HOURS = [1, 1, 0, 0, 1, 2, 5, 10, 14, 13, 11, 10, 9, 11, 12, 11, 10, 9, 8, 7, 6, 5, 3, 2]
const DAYS = [0.45, 1, 1.05, 1, 1, 0.9, 0.5]

function momentOf(chance, day) {
  let left = chance.next() * HOURS.reduce((sum, part) => sum + part, 0)
  const hour = HOURS.findIndex((part) => {
    left -= part
    return left < 0
  })
  return day + (hour + chance.next()) * HOUR
}

/**
 * What one person does from `from` to `to`: signs in, mistypes, comes back, refreshes, logs out, lets a session lie. Nobody
 * here means harm. Adds to `events` and to `sessions`.
 */
export function live(chance, person, { from, to }, { events, sessions }) {
  const open = new Map()
  if (person.since > from) signUp(chance, person, { events, sessions }, open)
  const first = Math.max(from, person.since)
  for (let day = first - (first % DAY); day < to; day += DAY) {
    if (!chance.is(person.habit * DAYS[new Date(day).getUTCDay()])) continue
    const place = chance.pick(person.places)
    const at = momentOf(chance, day)
    if (at > first && at < to) visit(chance, person, place, at, { events, sessions }, open)
  }
}

function signUp(chance, person, record, open) {
  const [place] = person.places
  const at = person.since
  if (chance.is(0.12)) record.events.push(refusal(at - 40_000, place, 'signup', 'weak_password', {}))
  begin(person, place, at, 'signup', record, open)
}

function begin(person, place, at, type, { events, sessions }, open) {
  const session = { id: uuidv7({ msecs: at }), userId: person.id, place, at, refreshedAt: at, seenAt: at, counter: 0 }
  sessions.push(session)
  open.set(place, session)
  person.lastLogin = Math.max(person.lastLogin ?? 0, at)
  events.push({ ...about(person, place, at), type, sessionId: session.id })
}

function visit(chance, person, place, at, record, open) {
  const session = open.get(place)
  if (
    session === undefined ||
    session.endedAt !== undefined ||
    at - session.refreshedAt > IDLE ||
    at - session.at > 30 * DAY
  ) {
    logIn(chance, person, place, at, record, open)
  } else if (at > session.refreshedAt + HOUR) {
    goOn(chance, person, session, at, record)
  }
  const now = open.get(place)
  if (chance.is(0.35)) logOut(person, now, at + chance.between(0.2, 3) * HOUR, record)
}

function logIn(chance, person, place, at, record, open) {
  const { events } = record
  if (chance.is(0.09)) {
    for (let tries = chance.whole(1, 3); tries > 0; tries -= 1) {
      events.push(refusal(at - tries * 9000, place, 'login', 'wrong_password', person))
    }
  }
  if (chance.is(0.02)) {
    const typo = { email: person.email.replace('@', `${chance.pick(['.', 'e', 'n'])}@`) }
    events.push(refusal(at - 30_000, place, 'login', 'unknown_email', typo))
  }
  if (chance.is(0.004)) events.push(refusal(at - 20_000, place, 'login', 'invalid_request', {}, { count: 1 }))
  begin(person, place, at, 'login', record, open)
}

function goOn(chance, person, session, at, { events }) {
  if (chance.is(0.3)) {
    const detail = { count: chance.whole(1, 4) }
    events.push({
      ...refusal(at - 500, session.place, 'token_rejected', 'token_expired', person, detail),
      sessionId: session.id
    })
  }
  for (let times = chance.whole(1, 3), time = at; times > 0; times -= 1, time += chance.between(0.3, 2.5) * HOUR) {
    session.counter += 1
    session.refreshedAt = session.seenAt = time
    events.push({ ...about(person, session.place, time), type: 'refresh', sessionId: session.id })
  }
}

function logOut(person, session, at, { events }) {
  const time = Math.max(at, session.seenAt + 60_000)
  session.endedAt = session.seenAt = time
  const details = { scope: 'session', sessions_ended: 1 }
  events.push({ ...about(person, session.place, time), type: 'logout', sessionId: session.id, details })
}

export function about({ id, email }, { address, agent }, at) {
  return { at, userId: id, email, address, agent, success: true }
}

/** Whom it is about may be a person, an email alone, or nobody. */
export function refusal(at, place, type, reason, whom, details) {
  return { ...about(whom, place, at), type, success: false, reason, details }
}
