import fp from 'fastify-plugin'

/** The only source of time in the service; a test passes one that it can move. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

declare module 'fastify' {
  interface FastifyInstance {
    clock: Clock
  }
}

export const systemClock: Clock = { now: () => Date.now() }

export default fp<{ clock: Clock }>(
  async (app, { clock }) => {
    app.decorate('clock', clock)
  },
  { name: 'clock' }
)
