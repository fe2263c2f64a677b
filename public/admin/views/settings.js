import { get } from '../api.js'
import { h } from '../dom.js'
import { heading, markdown, table } from '../ui.js'

const SOURCES = { environment: 'environment', file: 'a file', default: 'default', generated: 'made by the service' }

export default async function settings({ signal }) {
  const { settings: rows, version, node } = await get('/settings', {}, { signal })
  const columns = [
    { title: 'Name', isHead: true, cell: ({ name }) => h('code', {}, name) },
    { title: 'Value', cell: value },
    {
      title: 'From',
      cell: ({ source }) => h('span', { className: source === 'default' ? 'soft' : '' }, SOURCES[source])
    },
    { title: 'What it is', kind: 'wide', cell: ({ description }) => markdown(description) }
  ]
  return h(
    'div',
    {},
    heading('Settings'),
    h(
      'p',
      { className: 'soft' },
      `Postern ${version} on Node ${node}, as this instance was started. They are changed in its environment.`
    ),
    table({ caption: 'Settings', columns, rows, empty: 'There are none.' })
  )
}

function value({ value: text, is_secret: isSecret, is_set: isSet, default: fallback }) {
  if (isSecret && isSet)
    return h('span', { className: 'hidden-value' }, '••••••', h('span', { className: 'soft' }, ' set, and hidden'))
  if (!isSet) return h('span', { className: 'soft' }, markdown(fallback))
  return h('code', {}, text)
}
