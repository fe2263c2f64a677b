import { createKeyAdministration, type KeyAdministrationDeps } from './keys.js'
import { createSessionAdministration } from './sessions.js'
import { createUserAdministration, type UserAdministrationDeps } from './users.js'

export type { KeyDescription, Rotation } from '../keys/service.js'
export type { SessionRow } from '../sessions/service.js'
export type { UserRow } from '../users/service.js'
export type { Actor } from './actor.js'
export type { UserPage } from './search.js'
export type { Setup } from './setup.js'
export type { UserChange, UserDossier } from './users.js'

export type Admin = ReturnType<typeof createAdmin>

/** What operators do by HTTP. Each change names its admin in the trail. */
export function createAdmin(deps: UserAdministrationDeps & KeyAdministrationDeps) {
  return { ...createUserAdministration(deps), ...createSessionAdministration(deps), ...createKeyAdministration(deps) }
}
