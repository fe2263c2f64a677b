import { ApiError, ERRORS, type ErrorCode } from '../../errors.js'

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}

/** The texts of the table mark what is literal with backticks. */
function html(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '').replace(/`([^`]*)`/g, '<code>$1</code>')
}

/** What a code means and what to do about it, as a page without script or style. Throws `not_found` for an unknown code. */
export function errorPage(code: string): string {
  if (!isErrorCode(code)) throw new ApiError('not_found')
  const { status, title, detail, remedy } = ERRORS[code]
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${html(title)}</title>
<h1>${html(title)}</h1>
<p><code>${code}</code>, status ${status}</p>
<h2>What happened</h2>
<p>${html(detail)}</p>
<h2>What to do</h2>
<p>${html(remedy)}</p>
</html>
`
}
