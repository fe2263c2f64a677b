import { v7 as uuidv7 } from 'uuid'
import { about, refusal } from './life.js'
import { AGENTS } from './people.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const SPRAYER = { address: '203.0.113.66', agent: AGENTS.script }

/** One night's work: what an attack looks like that the insights are for. `victims` are people who live in the demo. */
export function attack(chance, victims, { to }, record) {
  spray(chance, victims, to - 6 * HOUR, record)
  guessOne(chance, victims[0], to - 4 * HOUR, record)
  const taken = victims[1]
  const session = breakIn(taken, to - 4.4 * HOUR, record)
  probe(chance, taken, session, to - 3 * HOUR, record)
  copyToken(victims[2], to - 2 * HOUR, record)
  signUpInBulk(chance, to - 3 * DAY, record)
}

/** One address goes through a list of emails, as fast as it is let. */
function spray(chance, victims, from, { events }) {
  const end = from + 2.2 * HOUR
  for (let minute = from; minute < end; minute += MINUTE) {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const at = minute + attempt * 700
      const known = chance.is(0.3)
      const whom = known
        ? chance.pick(victims)
        : { email: `${chance.pick(['info', 'office', 'sales', 'admin'])}${chance.whole(1, 400)}@example.com` }
      events.push(refusal(at, SPRAYER, 'login', known ? 'wrong_password' : 'unknown_email', whom))
    }
    events.push(refusal(minute + 5000, SPRAYER, 'rate_limited', 'rate_limited', {}, { limit: 'login', count: 1 }))
    events.push(refusal(minute + 9000, SPRAYER, 'rate_limited', 'rate_limited', {}, { count: chance.whole(2, 9) }))
  }
}

/** Forty machines want one account; it waits by itself. */
function guessOne(chance, victim, from, { events }) {
  for (let round = 0; round < 40; round += 1) {
    const place = { address: `192.0.2.${10 + round}`, agent: AGENTS.windows }
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const at = from + round * 1.6 * MINUTE + attempt * 4000
      const waits = round > 3 && chance.is(0.7)
      events.push(
        waits
          ? refusal(at, place, 'account_throttled', 'account_throttled', victim, { count: chance.whole(1, 6) })
          : refusal(at, place, 'login', 'wrong_password', victim)
      )
    }
  }
}

/** The list had one right password. The session lives, so that it can be ended. */
function breakIn(victim, at, { events, sessions }) {
  const session = {
    id: uuidv7({ msecs: at }),
    userId: victim.id,
    place: SPRAYER,
    at,
    refreshedAt: at,
    seenAt: at,
    counter: 0
  }
  sessions.push(session)
  victim.lastLogin = at
  events.push({ ...about(victim, SPRAYER, at), type: 'login', sessionId: session.id })
  for (const hours of [1.2, 2.4, 3.6]) {
    session.counter += 1
    session.refreshedAt = session.seenAt = at + hours * HOUR
    events.push({ ...about(victim, SPRAYER, session.seenAt), type: 'refresh', sessionId: session.id })
  }
  return session
}

/** Whoever got in asks for the data of others. */
function probe(chance, victim, session, from, { events }) {
  for (let n = 0; n < 60; n += 1) {
    const details = { requested_user_id: uuidv7({ msecs: from - chance.between(1, 200) * DAY }) }
    const event = refusal(from + n * 8000, SPRAYER, 'ownership_denied', 'not_owner', victim, details)
    events.push({ ...event, sessionId: session.id })
  }
}

/** A refresh token comes back that had been replaced: its session is ended. */
function copyToken(victim, at, { events, sessions }) {
  const [place] = victim.places
  const session = {
    id: uuidv7({ msecs: at - DAY }),
    userId: victim.id,
    place,
    at: at - DAY,
    refreshedAt: at,
    seenAt: at,
    counter: 9,
    endedAt: at
  }
  sessions.push(session)
  const thief = { address: '203.0.113.140', agent: AGENTS.linux }
  events.push({ ...refusal(at, thief, 'refresh_reuse_detected', 'refresh_reused', victim), sessionId: session.id })
}

/** A machine makes accounts. */
function signUpInBulk(chance, from, { events, people }) {
  for (let n = 0; n < 46; n += 1) {
    const at = from + n * 62_000
    const place = { address: `203.0.113.${200 + (n % 7)}`, agent: AGENTS.script }
    const person = {
      id: uuidv7({ msecs: at }),
      email: `user${chance.whole(100_000, 999_999)}@mail.example.net`,
      since: at,
      lastLogin: at,
      places: [place]
    }
    people.push(person)
    events.push({ ...about(person, place, at), type: 'signup' })
  }
}
