/** One gateway, named as the argument, through the whole list. Run by scripts/test-gateways.js. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { FORGERY } from './forgery.js'
import { KEYS } from './keys.js'
import { ONE_INSTANCE } from './one-instance.js'
import { OUTAGE } from './outage.js'
import { PATHS } from './paths.js'
import { PROGRAMS } from './programs.js'
import { PROTECTED } from './protected.js'
import { createWorld, type World } from './world.js'

type Checks = Record<string, (t: Test, world: World) => Promise<void>>

const program = PROGRAMS.find(({ name }) => name === process.argv[2])
if (program === undefined) throw new Error(`which of ${PROGRAMS.map(({ name }) => name).join(', ')}?`)

t.setTimeout(10 * 60_000)

t.test(`${program.name} in front of Postern`, async (t) => {
  const world = await createWorld(t, program)
  const run = async (checks: Checks) => {
    for (const [rule, check] of Object.entries(checks)) {
      await t.test(`${program.name}: ${rule}`, (t) => check(t, world))
    }
  }
  await run(ONE_INSTANCE)
  await world.second.start()
  await sleep(1500)
  for (const checks of [PROTECTED, FORGERY, PATHS, program.checksKeys ? KEYS : {}, OUTAGE]) await run(checks)
})
