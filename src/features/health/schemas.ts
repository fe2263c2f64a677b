import { type Static, Type } from '@sinclair/typebox'
import { ApiError } from '../../errors.js'
import type { Readiness } from './service.js'

export const Liveness = Type.Object({ status: Type.Literal('ok') }, { additionalProperties: false })

export const ReadyQuery = Type.Object(
  { verbose: Type.Optional(Type.String({ maxLength: 8, description: 'Names each check' })) },
  { additionalProperties: false }
)
export type ReadyQuery = Static<typeof ReadyQuery>

export const ReadyAnswer = Type.Object(
  {
    status: Type.Literal('ok'),
    checks: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object({ ok: Type.Boolean(), detail: Type.String() }, { additionalProperties: false }),
        { description: 'Only with `?verbose`' }
      )
    )
  },
  { additionalProperties: false }
)
export type ReadyAnswer = Static<typeof ReadyAnswer>

/** Throws `unavailable` when not ready; only who asks for it learns the names of the checks. */
export function presentReadiness({ ready, checks }: Readiness, { verbose }: ReadyQuery): ReadyAnswer {
  const named = verbose !== undefined
  if (ready) return { status: 'ok', ...(named ? { checks } : {}) }
  const lines = Object.entries(checks).map(([name, { ok, detail }]) => `${name}: ${ok ? 'ok' : 'not ok'}, ${detail}`)
  throw new ApiError('unavailable', {
    detail: named ? lines.join('; ') : 'Not ready; ?verbose says why.',
    retryAfterSeconds: 1
  })
}
