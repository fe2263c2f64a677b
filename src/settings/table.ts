import type { Static } from '@sinclair/typebox'
import type { Setting } from './definition.js'
import { IDENTITY_SETTINGS } from './identity.js'
import { PROTECTION_SETTINGS } from './protection.js'

export type { Setting, SettingContext } from './definition.js'

/**
 * Every setting, in the order in which the documents list them. Loading, the list of faults, `.env.example` and
 * the README's table come from here.
 */
export const SETTINGS = { ...IDENTITY_SETTINGS, ...PROTECTION_SETTINGS } as const

export type SettingKey = keyof typeof SETTINGS

type ValueOf<T> =
  T extends Setting<infer Schema, infer Default>
    ? undefined extends Default
      ? Static<Schema> | undefined
      : Static<Schema>
    : never

/** The value of every setting, by its key in the table. */
export type SettingValues = { [Key in SettingKey]: ValueOf<(typeof SETTINGS)[Key]> }
