import { append, h } from '../dom.js'
import { ask, problemOf } from '../problem.js'
import { field } from '../ui.js'

/** The page's own door is the one that everybody uses. */
export function signIn({ reason, done }) {
  return form({
    title: 'Sign in',
    lead: reason || 'For admins of this service.',
    action: 'Sign in',
    autocomplete: 'current-password',
    submit: async (credentials) => await requireAdmin(await post('/auth/login', credentials)),
    done
  })
}

/** The link in the log of a first start: whoever has it makes the first admin. */
export function setup({ token, done }) {
  return form({
    title: 'Make the first admin',
    lead: 'This link is from the log of the service. It is good once, for thirty minutes.',
    action: 'Make this account an admin',
    autocomplete: 'new-password',
    submit: async (credentials) => await post('/admin/api/setup', { token, ...credentials }),
    done
  })
}

function form({ title, lead, action, autocomplete, submit, done }) {
  const entry = (label, props) => field(label, h('input', { required: true, ...props }))
  const email = entry('Email', {
    type: 'email',
    name: 'email',
    autocomplete: 'username',
    attrs: { spellcheck: 'false' }
  })
  const password = entry('Password', { type: 'password', name: 'password', autocomplete })
  const button = h('button', { type: 'submit', className: 'button strong' }, action)
  const fault = h('p', { className: 'fault', role: 'alert' })
  const element = h('form', {}, h('h1', {}, title), h('p', { className: 'soft' }, lead), email, password, fault, button)
  element.addEventListener('submit', async (event) => {
    event.preventDefault()
    fault.textContent = ''
    button.disabled = true
    try {
      const given = new FormData(element)
      await done(await submit({ email: given.get('email'), password: given.get('password') }))
    } catch (error) {
      fault.textContent = describe(error)
    } finally {
      button.disabled = false
    }
  })
  return append(h('main', { className: 'gate' }), [h('p', { className: 'name' }, 'Postern'), element])
}

function describe({ message, retryAfter }) {
  return retryAfter > 0 ? `${message} Try again in ${retryAfter} seconds.` : message
}

async function post(path, body) {
  const answer = await ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  if (!answer.ok) throw await problemOf(answer)
  return await answer.json()
}

/** An account that is none leaves no session behind. */
async function requireAdmin(signedIn) {
  const headers = { authorization: `Bearer ${signedIn.token}` }
  const answer = await ask('/admin/api/users?limit=1&emails=masked', { headers })
  if (answer.ok) return signedIn
  const problem = await problemOf(answer)
  await ask('/auth/logout', { method: 'POST', headers })
  throw problem
}
