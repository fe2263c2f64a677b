import type { Db } from '../../plugins/database/index.js'
import { dueSteps, type Schedule } from './lifecycle.js'
import { createKey } from './material.js'
import { listKeys } from './store.js'
import type { SigningKey } from './types.js'

/** Makes keys before the transaction that needs them: RSA takes its time, and neither a lock nor a transaction waits well. */
export function createSupply(schedule: Schedule, clock: { now(): number }) {
  const made: SigningKey[] = []

  return {
    /** For the steps that are due, and `more`. What is left over is kept for the next time. */
    async prepare(db: Db, starting: boolean, more: number): Promise<void> {
      const due = dueSteps(await listKeys(db), clock.now(), schedule, starting)
      const count = due.filter((step) => step.do === 'create').length + more
      while (made.length < count) made.push(await createKey(schedule.algorithm))
    },

    take: async (): Promise<SigningKey> => made.pop() ?? (await createKey(schedule.algorithm))
  }
}
