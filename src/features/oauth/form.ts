import { ApiError, type FieldFault } from '../../errors.js'

/**
 * Reads `application/x-www-form-urlencoded` and repairs nothing: what two readers could take for two things (another
 * encoding, a broken escape, NUL, a parameter that stands twice) is `invalid_request`.
 */
export function parseForm(body: Buffer): Record<string, string> {
  const text = decode(body)
  const fields = new Map<string, string>()
  for (const pair of text === '' ? [] : text.split('&')) {
    const [name = '', ...value] = pair.split('=')
    const field = unescapeForm(name)
    const content = unescapeForm(value.join('='))
    if (!field || content === undefined) throw refusal('The body is not a valid form.')
    if (fields.has(field)) throw refusal('A parameter stands twice.', [repeated(field)])
    fields.set(field, content)
  }
  return Object.fromEntries(fields)
}

/** One form-urlencoded value; undefined for a broken escape, what is not UTF-8, or NUL. */
export function unescapeForm(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text.replaceAll('+', ' '))
    return value.includes('\0') ? undefined : value
  } catch {
    return undefined
  }
}

function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    throw refusal('The body is not valid UTF-8.')
  }
}

function repeated(name: string): FieldFault {
  return { field: name.slice(0, 64), code: 'repeated', message: 'Send each parameter once.' }
}

function refusal(detail: string, errors?: FieldFault[]): ApiError {
  return new ApiError('invalid_request', { detail, ...(errors && { errors }) })
}
