import { readFileSync } from 'node:fs'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { SETTINGS, type Setting, type SettingContext, type SettingKey, type SettingValues } from './table.js'

export type Environment = Record<string, string | undefined>

/** One wrong setting: what is wrong with it and how it would be right. Never its value. */
export interface Fault {
  name: string
  rule: string
  example: string
}

type Found = { text: string | undefined } | { fault: string }

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
    return secret === '' ? { fault: `is empty in the file that ${name} names` } : { text: secret }
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
  return path === undefined ? { text } : readSecretFile(fileName, path)
}

function readOne(key: SettingKey, env: Environment, context: SettingContext): { value: unknown } | { fault: Fault } {
  const setting: Setting<TSchema> = SETTINGS[key]
  const found = find(setting, env)
  if ('fault' in found) return { fault: faultOf(key, found.fault) }
  if (found.text === undefined && setting.requiredInProduction && context.production) {
    return { fault: faultOf(key, `is required in production: ${setting.allowed}`) }
  }
  const text = found.text ?? (context.production ? setting.productionDefault : undefined) ?? setting.default
  if (text === undefined) return { value: undefined }
  const value = setting.type.parse(text)
  if (!Value.Check(setting.type.schema, value)) return { fault: faultOf(key, `must be ${setting.allowed}`) }
  const refused = setting.refuse?.(value, context)
  return refused === undefined ? { value } : { fault: faultOf(key, `${refused}; it must be ${setting.allowed}`) }
}

/** Reads every setting. A setting at fault has no value; all faults are found at once. */
export function readSettings(env: Environment): { values: Partial<SettingValues>; faults: Fault[] } {
  const environment = env[SETTINGS.environment.name] || SETTINGS.environment.default
  const context = { environment, production: environment === 'production' }
  const values: Record<string, unknown> = {}
  const faults: Fault[] = []
  for (const key of Object.keys(SETTINGS) as SettingKey[]) {
    const result = readOne(key, env, context)
    if ('fault' in result) faults.push(result.fault)
    else values[key] = result.value
  }
  return { values: values as Partial<SettingValues>, faults }
}
