import { isIP } from 'node:net'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { parseDuration } from '../lib/duration.js'

/** How the text of a setting becomes a value (undefined: no such value), and the schema that the value must meet. */
export interface SettingType<Schema extends TSchema> {
  parse(text: string): unknown
  schema: Schema
}

const RateLimitOrOff = Type.Union([
  Type.Null(),
  Type.Object({
    max: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    windowSeconds: Type.Integer({ minimum: 1, maximum: 86_400 })
  })
])

function typed<Schema extends TSchema>(schema: Schema, parse: (text: string) => unknown): SettingType<Schema> {
  return { schema, parse }
}

function list(text: string): string[] {
  return text === '' ? [] : text.split(',').map((item) => item.trim())
}

export function text(pattern: string, maxLength = 512) {
  return typed(Type.String({ minLength: 1, maxLength, pattern }), (value) => value)
}

export function choice<const Value extends string>(...values: Value[]) {
  return typed(Type.Unsafe<Value>(Type.Union(values.map((value) => Type.Literal(value)))), (value) => value)
}

export function whole(minimum: number, maximum: number) {
  return typed(Type.Integer({ minimum, maximum }), (value) => (/^[0-9]{1,9}$/.test(value) ? Number(value) : undefined))
}

export function decimal(minimum: number, maximum: number) {
  const isDecimal = /^[0-9]{1,9}(\.[0-9]{1,3})?$/
  return typed(Type.Number({ minimum, maximum }), (value) => (isDecimal.test(value) ? Number(value) : undefined))
}

export function milliseconds(least: string, most: string) {
  const toMs = (value: string) => parseDuration(value) ?? Number.NaN
  return typed(Type.Integer({ minimum: toMs(least), maximum: toMs(most) }), toMs)
}

/** Whole seconds: the contract counts lifetimes in them, so `1500ms` is refused rather than rounded. */
export function seconds(least: string, most: string) {
  const toSeconds = (value: string) => (parseDuration(value) ?? Number.NaN) / 1000
  return typed(Type.Integer({ minimum: toSeconds(least), maximum: toSeconds(most) }), toSeconds)
}

export function onOff() {
  return typed(Type.Boolean(), (value) => ({ on: true, off: false })[value])
}

/** The bytes of the text in UTF-8, as they are. */
export function secretBytes() {
  return typed(Type.Unsafe<Buffer>(Type.Uint8Array({ minByteLength: 32 })), (value) => Buffer.from(value, 'utf8'))
}

/** `5/60`: attempts / seconds. Null is `off`. */
export function rateLimit() {
  return typed<typeof RateLimitOrOff>(RateLimitOrOff, (value) => {
    if (value === 'off') return null
    const match = /^([0-9]{1,7})\/([0-9]{1,5})$/.exec(value)
    return match === null ? undefined : { max: Number(match[1]), windowSeconds: Number(match[2]) }
  })
}

function isNetwork(item: string): boolean {
  if (item === 'loopback' || item === 'private') return true
  const [address = '', prefix, ...rest] = item.split('/')
  const family = address.includes('%') ? 0 : isIP(address)
  if (family === 0 || rest.length > 0) return false
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}

export function networks() {
  return typed(Type.Array(Type.String()), (value) => (list(value).every(isNetwork) ? list(value) : undefined))
}

/** What an item may be is for the setting's own refusal to say. */
export function texts() {
  return typed(Type.Array(Type.String()), list)
}

function isOrigin(item: string): boolean {
  return /^https?:/.test(item) && URL.canParse(item) && new URL(item).origin === item
}

/** Only what a browser sends in `Origin`: no `*`, no `null`, no path, no default port. */
export function origins() {
  return typed(Type.Array(Type.String()), (value) => (list(value).every(isOrigin) ? list(value) : undefined))
}

/** The id ends at the first colon (RFC 7617), so a secret may contain one. Ids are unique. */
export function clients() {
  const Client = Type.Object({
    id: Type.String({ pattern: '^[A-Za-z0-9._~-]{1,64}$' }),
    secret: Type.String({ pattern: '^[\\x21-\\x7e]{1,512}$' })
  })
  return typed(Type.Array(Client), (value) => {
    const pairs = list(value).map((item) => {
      const [id = '', ...rest] = item.split(':')
      return { id, secret: rest.join(':') }
    })
    return new Set(pairs.map((pair) => pair.id)).size === pairs.length ? pairs : undefined
  })
}

export function issuerUrl() {
  return typed(Type.String({ maxLength: 512, pattern: '^https?://[^\\s?#@\\\\]+$' }), (value) =>
    URL.canParse(value) && !value.endsWith('/') ? value : undefined
  )
}

/** A slash at the end is left off: OpenTelemetry's own documents write it either way. */
export function endpointUrl() {
  return typed(Type.String({ maxLength: 512, pattern: '^https?://[^\\s?#@\\\\]+$' }), (value) =>
    URL.canParse(value) ? value.replace(/\/+$/, '') : undefined
  )
}

export function postgresUrl() {
  return typed(Type.String({ maxLength: 4096, pattern: '^postgres(ql)?://[^\\s]+$' }), (value) => value)
}

export function redisUrl() {
  return typed(Type.String({ maxLength: 4096, pattern: '^rediss?://[^\\s]+$' }), (value) => value)
}

export type SettingValue<T> = T extends SettingType<infer Schema> ? Static<Schema> : never
