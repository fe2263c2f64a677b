/**
 * While the demo runs somebody does something every few seconds, so that the live view lives. These are events alone, as the
 * service writes them; nobody is signed in by them.
 */
export function goOn(app, { people, sessions }, chance) {
  const known = new Map(people.map((person) => [person.id, person]))
  const living = sessions.filter(({ endedAt }) => endedAt === undefined).slice(-200)

  async function one() {
    const { id: sessionId, userId, place } = chance.pick(living)
    const whom = { userId, email: known.get(userId).email }
    const client = {
      address: place.address,
      addressKey: place.address,
      userAgent: place.agent,
      requestId: crypto.randomUUID()
    }
    const event = chance.is(0.8)
      ? { type: 'refresh', success: true, sessionId }
      : { type: 'login', success: false, reason: 'wrong_password' }
    await app.events.record(app.db, client, { ...event, ...whom })
  }

  function next() {
    const timer = setTimeout(
      () =>
        one()
          .catch(() => undefined)
          .then(next),
      chance.between(1500, 6000)
    )
    timer.unref()
  }
  next()
}
