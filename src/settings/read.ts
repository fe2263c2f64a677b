import { readFileSync } from 'node:fs'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { defaultOf } from './definition.js'
import { SETTINGS, type Setting, type SettingContext, type SettingKey, type SettingValues } from './table.js'

export type Environment = Record<string, string | undefined>

/** One wrong setting: what is wrong with it and how it would be right. Never its value. */
export interface Fault {
  name: string
  rule: string
  example: string
}

/** Where a value came from; `generated` is for a secret that the service made itself. */
export type SettingSource = 'environment' | 'file' | 'default' | 'generated'

/** A setting as an operator may see it: of a secret only whether there is one. */
export interface SettingState {
  name: string
  source: SettingSource
  /** As text, as it would stand in the environment. Null for a secret, and where there is none. */
  value: string | null
  isSecret: boolean
  isSet: boolean
  /** In Markdown, as the README has them. */
  description: string
  allowed: string
  default: string
}

type Found = { text: string | undefined; source: SettingSource } | { fault: string }

/** Of a secret the documents' example is a sample that production refuses, so a fault shows what makes a good one. */
function exampleOf(setting: Setting): string {
  const random = /SECRET|_TOKEN$/.test(setting.name)
  return random ? `${setting.name}="$(npm run --silent secret)"` : `${setting.name}=${setting.example}`
}

export function faultOf(key: SettingKey, rule: string): Fault {
  const setting: Setting = SETTINGS[key]
  return { name: setting.name, rule, example: exampleOf(setting) }
}

/** The line end that every editor and `echo` put there is no part of the secret; anything else is. */
function readSecretFile(name: string, path: string): Found {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path))
    const secret = text.replace(/\r?\n$/, '')
    return secret === '' ? { fault: `is empty in the file that ${name} names` } : { text: secret, source: 'file' }
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'no reason given'
    return { fault: `cannot be read from the file that ${name} names (${reason})` }
  }
}

/** An empty variable counts as none: compose files and shells cannot easily leave one out. */
function find(setting: Setting, env: Environment): Found {
  const text = env[setting.name] || undefined
  const fileName = `${setting.name}_FILE`
  const path = setting.secret ? env[fileName] || undefined : undefined
  if (text !== undefined && path !== undefined) return { fault: `is set twice, also by ${fileName}: keep one` }
  return path === undefined ? { text, source: 'environment' } : readSecretFile(fileName, path)
}

type Read = { value: unknown; state: SettingState } | { fault: Fault }

function readOne(key: SettingKey, env: Environment, context: SettingContext): Read {
  const setting: Setting<TSchema> = SETTINGS[key]
  const found = find(setting, env)
  if ('fault' in found) return { fault: faultOf(key, found.fault) }
  if (found.text === undefined && setting.requiredInProduction && context.production) {
    return { fault: faultOf(key, `is required in production: ${setting.allowed}`) }
  }
  const text = found.text ?? (context.production ? setting.productionDefault : undefined) ?? setting.default
  const state = stateOf(setting, found.text === undefined ? 'default' : found.source, text)
  if (text === undefined) return { value: undefined, state }
  const value = setting.type.parse(text)
  if (!Value.Check(setting.type.schema, value)) return { fault: faultOf(key, `must be ${setting.allowed}`) }
  const refused = setting.refuse?.(value, context)
  return refused === undefined ? { value, state } : { fault: faultOf(key, `${refused}; it must be ${setting.allowed}`) }
}

function stateOf(setting: Setting, source: SettingSource, text: string | undefined): SettingState {
  const { name, description, allowed, secret: isSecret = false } = setting
  const isSet = Boolean(text)
  const value = isSecret || !isSet ? null : (text ?? null)
  return { name, source, value, isSecret, isSet, description, allowed, default: defaultOf(setting) }
}

/** Reads every setting. A setting at fault has no value; all faults are found at once. */
export function readSettings(env: Environment): {
  values: Partial<SettingValues>
  states: SettingState[]
  faults: Fault[]
} {
  const environment = env[SETTINGS.environment.name] || SETTINGS.environment.default
  const context = { environment, production: environment === 'production' }
  const values: Record<string, unknown> = {}
  const states: SettingState[] = []
  const faults: Fault[] = []
  for (const key of Object.keys(SETTINGS) as SettingKey[]) {
    const result = readOne(key, env, context)
    if ('fault' in result) faults.push(result.fault)
    else {
      values[key] = result.value
      states.push(result.state)
    }
  }
  return { values: values as Partial<SettingValues>, states, faults }
}
