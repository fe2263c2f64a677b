/** What the service refused, in its own words. */
export class Problem extends Error {
  constructor({ status, code, detail, requestId, retryAfter = 0 }) {
    super(detail)
    Object.assign(this, { name: 'Problem', status, code, requestId, retryAfter })
  }
}

/** What an answer refuses, whatever it is. */
export async function problemOf(answer) {
  const body = await answer.json().catch(() => ({}))
  const {
    detail = `The service answered ${answer.status}.`,
    code = 'unknown',
    request_id: requestId,
    errors = []
  } = body
  const faults = errors.map(({ field, message }) => `${field}: ${message}`).join(' ')
  const retryAfter = Number(answer.headers.get('retry-after') ?? 0)
  return new Problem({ status: answer.status, code, detail: `${detail} ${faults}`.trim(), requestId, retryAfter })
}

/** As fetch, but nobody answering is a problem like any other. */
export async function ask(url, options) {
  try {
    return await fetch(url, options)
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new Problem({ status: 0, code: 'unreachable', detail: 'The service does not answer.' })
  }
}
