import { append, h } from './dom.js'
import { ago, dayAndSeconds, iso } from './format.js'

/** A word to whoever acts, read out too. It goes by itself. */
export function notice(text, { isBad = false } = {}) {
  const element = h('p', { className: isBad ? 'notice bad' : 'notice' }, text)
  document.querySelector('#notices').append(element)
  setTimeout(() => element.remove(), isBad ? 12_000 : 5000)
}

/** Runs what a button starts: it cannot be pressed twice, and what is refused is said. True when it was done. */
export async function act(button, work) {
  button.disabled = true
  try {
    await work()
    return true
  } catch (error) {
    notice(error.message, { isBad: true })
    return false
  } finally {
    button.disabled = false
  }
}

/** Asks before something is done that cannot be taken back. Resolves to whether it is to be done. */
export async function confirm({ title, body, action, isBad = true }) {
  const dialog = h('dialog', { className: 'dialog', 'aria-labelledby': 'dialog-title' })
  const yes = h('button', { type: 'submit', value: 'yes', className: isBad ? 'button bad' : 'button strong' }, action)
  const no = h('button', { type: 'submit', value: 'no', className: 'button', autofocus: true }, 'Cancel')
  const form = h(
    'form',
    { method: 'dialog' },
    h('h2', { id: 'dialog-title' }, title),
    body,
    h('p', { className: 'buttons' }, no, yes)
  )
  form.addEventListener('submit', (event) => {
    // The content policy lets no form go anywhere, and a dialog's form counts.
    event.preventDefault()
    dialog.close(event.submitter?.value)
  })
  return (await shown(append(dialog, [form]))) === 'yes'
}

/** Shows a text that a person wants to take along. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text)
    notice(`Copied: ${what}.`)
  } catch {
    // Without https, and without leave, there is no clipboard.
    const area = h('textarea', { value: text, readOnly: true, rows: 8, 'aria-label': what })
    const close = h('button', { type: 'button', className: 'button' }, 'Close')
    const dialog = h(
      'dialog',
      { className: 'dialog', 'aria-label': what },
      area,
      h('p', { className: 'buttons' }, close)
    )
    close.onclick = () => dialog.close()
    queueMicrotask(() => area.select())
    await shown(dialog)
  }
}

/** Resolves to what the dialog returns; the focus goes back to where it was. */
export async function shown(dialog) {
  const before = document.activeElement
  document.body.append(dialog)
  dialog.showModal()
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
  dialog.remove()
  if (before instanceof HTMLElement && before.isConnected) before.focus()
  return dialog.returnValue
}

/** A moment: how long ago for the eye, the whole of it at the pointer and for the machine. */
export function moment(time, { relative = false } = {}) {
  if (time === null || time === undefined) return h('span', { className: 'soft' }, '–')
  const whole = `${dayAndSeconds(time)} UTC`
  return h('time', { dateTime: iso(time), title: whole }, relative ? ago(time) : dayAndSeconds(time))
}

/** The little Markdown that the service's own texts have: code between backticks. */
export function markdown(text) {
  return text.split('`').map((part, index) => (index % 2 === 1 ? h('code', {}, part) : part))
}

export function heading(text, ...beside) {
  return h('header', { className: 'head' }, h('h1', { tabIndex: -1 }, text), ...beside)
}

let fields = 0

/** An input or a select under its name. The label stands beside it: around it, its contents would be part of the name. */
export function field(text, control) {
  fields += 1
  control.id = `field-${fields}`
  return h('div', { className: 'field' }, h('label', { htmlFor: control.id }, text), control)
}

/** A choice of which one is taken, as links, so that each has its address. */
export function choice(label, options) {
  const items = options.map(({ text, href, isCurrent }) =>
    h('a', { href, 'aria-current': isCurrent ? 'true' : undefined }, text)
  )
  return h('nav', { className: 'choice', 'aria-label': label }, ...items)
}

/** `columns` have a `title`, perhaps a `kind` (`number`, `wide`), and `cell`, which makes the contents from a row. */
export function table({ caption, columns, rows, empty }) {
  if (rows.length === 0) return h('p', { className: 'empty' }, empty)
  const head = columns.map(({ title, kind = '' }) => h('th', { scope: 'col', className: kind }, title))
  const body = rows.map((row) =>
    h(
      'tr',
      {},
      columns.map(({ cell, kind = '', isHead }) =>
        h(isHead ? 'th' : 'td', { className: kind, ...(isHead && { scope: 'row' }) }, cell(row))
      )
    )
  )
  return h(
    'div',
    { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': caption },
    h('table', {}, h('caption', {}, caption), h('thead', {}, h('tr', {}, head)), h('tbody', {}, body))
  )
}
